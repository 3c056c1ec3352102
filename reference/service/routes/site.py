"""The rest of PostHog's one host, as far as SDKs touch it: browser config, assets, surveys, early access, health.

Other services of PostHog answer these; here they exist so that an SDK with one host setting finds what it asks for.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from reference.json import JsonObject
from reference.response import Refusal, fallback_config
from reference.service.intake.query import DEFINITIONS_PARAMETERS, read_query
from reference.service.project.project import Project
from reference.service.reply import Call, Reply, json_reply, refused
from reference.service.world import World

SCRIPT: Final = "application/javascript"
TEXT: Final = "text/plain; charset=utf-8"
NOT_FOUND: Final = Reply(404)
_STARTERS: Final = {"": "feature flags", "_readiness": "ready", "_liveness": "ok", "_startup": "started"}


def answer_text(_world: World, call: Call) -> Reply:
    """Answer the root and the probes with their one word (contract §1.1)."""
    return Reply(200, _STARTERS[call.path.strip("/")].encode(), TEXT)


def answer_config(world: World, call: Call) -> Reply:
    """Answer `/array/<token>/config`."""
    project = world.catalogue.by_token(call.parameter)
    return NOT_FOUND if project is None else json_reply(msgspec.json.encode(_config(project)))


def answer_config_script(world: World, call: Call) -> Reply:
    """Answer `/array/<token>/config.js`: the same config, put where the browser SDK looks for it."""
    project = world.catalogue.by_token(call.parameter)
    if project is None:
        return NOT_FOUND
    token = msgspec.json.encode(call.parameter).decode()
    config = msgspec.json.encode(_config(project)).decode().replace("<", "\\u003c")
    script = (
        "(function() { window._POSTHOG_REMOTE_CONFIG = window._POSTHOG_REMOTE_CONFIG || {};"
        f" window._POSTHOG_REMOTE_CONFIG[{token}] = {{ config: {config}, siteApps: [] }}; }})();"
    )
    return Reply(200, script.encode(), SCRIPT)


def answer_asset(_world: World, _call: Call) -> Reply:
    """Answer `/static/…`: a script that does nothing."""
    return Reply(200, b"/* holdfast: nothing to load */\n", SCRIPT)


def answer_surveys(world: World, call: Call) -> Reply:
    """Answer `/api/surveys/`: there are none."""
    project = _project_of_query(world, call)
    return refused(Refusal.UNKNOWN_TOKEN) if project is None else json_reply(b'{"surveys":[]}')


def answer_early_access(world: World, call: Call) -> Reply:
    """Answer `/api/early_access_features/`: one feature per flag with enrolment."""
    project = _project_of_query(world, call)
    if project is None:
        return refused(Refusal.UNKNOWN_TOKEN)
    features = [_feature(flag.key, flag.id) for flag in project.program.definitions.flags if flag.feature_enrollment]
    return json_reply(msgspec.json.encode({"earlyAccessFeatures": features}))


def _project_of_query(world: World, call: Call) -> Project | None:
    query = read_query(call.query, DEFINITIONS_PARAMETERS)
    return None if isinstance(query, str) else world.catalogue.by_token(query.get("token", ""))


def _config(project: Project) -> JsonObject:
    return fallback_config(has_flags=bool(project.document["flags"])) if project.config is None else project.config


def _feature(key: str, number: int) -> dict[str, Any]:
    known = {"id": str(number), "name": key, "flagKey": key, "stage": "beta"}
    return {**known, "description": "", "documentationUrl": "", "payload": {}}
