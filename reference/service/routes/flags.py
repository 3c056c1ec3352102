"""`/flags` and `/decide`: query → body → project → person → evaluation → shape, in the service's order (contract §5.1)."""

from __future__ import annotations

from typing import Final

import msgspec

from reference.outcome import Evaluation, Outcome, Status
from reference.request.asked import selection_of
from reference.request.fields import FlagsBody, read_fields
from reference.response import (
    DECIDE_HEADER,
    Asked,
    Envelope,
    Refusal,
    choose_shape,
    fallback_config,
    merge_config,
    mini_answer,
    quota_envelope,
    read_flag,
    render,
)
from reference.service.intake.body import decode_body
from reference.service.intake.query import read_flags_query
from reference.service.project.project import Project
from reference.service.reply import Call, Reply, bodiless, json_reply, refused
from reference.service.world import World

from .person import asker_of, context_of

ALLOW: Final = "GET, POST, OPTIONS, HEAD"
UNDECIDED: Final = "evaluation_inconclusive"
"""Failure code of a flag that even complete properties do not decide here, such as a regex outside the portable subset."""

Query = dict[str, str]


def answer_flags(world: World, call: Call) -> Reply:
    """Answer one call of `/flags` or `/decide`; the path makes no difference, the header does (contract §1.4)."""
    query = read_flags_query(call.query)
    if isinstance(query, str):
        return refused(Refusal.BAD_QUERY, detail=query)
    early = bodiless(call, ALLOW)
    if early is not None:
        return early
    is_decide = call.headers.get(DECIDE_HEADER[0]) == DECIDE_HEADER[1]
    asked = choose_shape(is_decide, query.get("v"), config=query.get("config"), method=call.method)
    request_id = world.request_id(call.headers.get("X-REQUEST-ID"))
    if call.method == "GET":
        return json_reply(mini_answer(asked.shape, request_id=request_id, evaluated_at=world.now_ms()))
    body = _read_body(call, query)
    return refused(body) if isinstance(body, Refusal) else _answer_post(world, call, query, body, asked, request_id)


def _read_body(call: Call, query: Query) -> FlagsBody | Refusal:
    if isinstance(call.body, Refusal):
        return call.body
    document = decode_body(
        call.body,
        content_type=call.headers.get("Content-Type"),
        encoding=call.headers.get("Content-Encoding"),
        compression=query.get("compression"),
    )
    return document if isinstance(document, Refusal) else read_fields(document)


def _answer_post(world: World, call: Call, query: Query, body: FlagsBody, asked: Asked, request_id: str) -> Reply:
    if not body.token:
        return refused(Refusal.NO_TOKEN)
    project = world.catalogue.by_token(body.token)
    if project is None:
        return refused(Refusal.UNKNOWN_TOKEN)
    is_disabled = body.disable_flags is True
    if body.identity is None and not is_disabled:
        return refused(Refusal.NO_DISTINCT_ID)
    envelope = _envelope(world, project, request_id)
    evaluation = Evaluation(outcomes={})
    if project.is_over_quota and not is_disabled:
        envelope = quota_envelope(envelope)
    elif not is_disabled:
        evaluation = _evaluate(world, project, call, query, body)
    envelope = msgspec.structs.replace(envelope, errors=evaluation.errors)
    if asked.config:
        envelope = _with_config(envelope, project)
    return json_reply(render(evaluation.outcomes, envelope, asked.shape))


def _envelope(world: World, project: Project, request_id: str) -> Envelope:
    is_minimal = project.program.definitions.minimal_flag_called_events
    return Envelope(request_id=request_id, evaluated_at=world.now_ms(), minimal_flag_called_events=is_minimal)


def _with_config(envelope: Envelope, project: Project) -> Envelope:
    config = fallback_config(has_flags=bool(project.document["flags"])) if project.config is None else project.config
    return merge_config(envelope, config, replay_over_quota=project.is_replay_over_quota)


def _evaluate(world: World, project: Project, call: Call, query: Query, body: FlagsBody) -> Evaluation:
    now = world.clock()
    asker = asker_of(call, body, body.identity or "", day=now.date().isoformat())
    context = context_of(asker, project, world.memory)
    survey_only = bool(read_flag(query.get("only_evaluate_survey_feature_flags")))
    selection = selection_of(body, call.headers, survey_only=survey_only)
    return _settled(project.program.evaluate(context, now=now, selection=selection))


def _settled(evaluation: Evaluation) -> Evaluation:
    """Turn what could not be decided into failures: the real service has no third state on the wire."""
    vague = {key: _failed(found) for key, found in evaluation.outcomes.items() if found.status is Status.INCONCLUSIVE}
    if not vague:
        return evaluation
    return Evaluation(outcomes={**evaluation.outcomes, **vague}, errors=True)


def _failed(outcome: Outcome) -> Outcome:
    return msgspec.structs.replace(
        outcome,
        status=Status.FAILED,
        reason=UNDECIDED,
        condition_index=None,
        description="The flag cannot be decided here",
        payload=None,
    )
