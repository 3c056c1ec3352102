"""Reading the configuration: file, then environment over it, then each project's policy over the global one; all or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .checks import semantic_faults
from .document import Layer, leaves, merged, read_file
from .environment import overlay
from .problem import Problem, Problems
from .schema import Document, Place, describe
from .settings import Settings
from .structure import faults


class Loaded(Struct, frozen=True):
    """An accepted configuration.

    Attributes:
        settings: The effective values.
        document: The effective values as plain tables, defaults left out; secrets are references. What workers are given.
        origins: Who set each leaf of the document.
        digest: Eight hexadecimal digits of the document's SHA-256: equal documents, equal digests.
    """

    settings: Settings
    document: Document
    origins: Mapping[Place, str]
    digest: str


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded | Problems:
    """Read a file (None: environment only) and the environment; return the configuration or everything wrong with it."""
    layer = read_file(path) if path else Layer({}, {}, "no file")
    if isinstance(layer, Problems):
        return layer
    above, named, strangers = overlay(environ, schema=describe(Settings), beneath=layer.document)
    asked = merged(layer.document, above)
    origins = {place: named.get(place) or layer.origin(place) for place, _ in leaves(asked)}
    checked = accept(inherit_policies(asked), environ)
    if isinstance(checked, Settings) and not strangers:
        document = inherit_policies(asked)
        return Loaded(checked, document, origins | _inherited(document, origins), digest_of(document))
    found = () if isinstance(checked, Settings) else checked.items
    return Problems((*strangers, *(_with_origin(problem, layer, named) for problem in found)))


def accept(document: Document, environ: Mapping[str, str]) -> Settings | Problems:
    """Turn an effective document into settings, or say everything that is wrong; structure first, then meaning."""
    if found := _problems(faults(document, describe(Settings))):
        return found
    settings = msgspec.convert(document, Settings)
    return _problems(semantic_faults(settings, environ)) or settings


def inherit_policies(document: Document) -> dict[str, Any]:
    """Lay every project's policy over the global one, key by key, so that an omitted key inherits."""
    result = dict(document)
    projects, policy = document.get("projects"), document.get("policy", {})
    if isinstance(projects, Mapping) and isinstance(policy, Mapping):
        result["projects"] = {name: _with_policy(project, policy) for name, project in projects.items()}
    return result


def digest_of(document: Document) -> str:
    """Return the short content hash that names a configuration."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _with_policy(project: Any, policy: Document) -> Any:
    own = project.get("policy", {}) if isinstance(project, Mapping) else None
    return project if not isinstance(own, Mapping) else {**project, "policy": merged(policy, own)}


def _inherited(document: Document, origins: Mapping[Place, str]) -> dict[Place, str]:
    return {
        place: f"policy, {origins[place[2:]]}"
        for place, _ in leaves(document)
        if place not in origins and place[:1] == ("projects",) and place[2:] in origins
    }


def _problems(found: Iterable[tuple[Place, str]]) -> Problems | None:
    items = tuple(Problem(place, reason) for place, reason in found)
    return Problems(items) if items else None


def _with_origin(problem: Problem, layer: Layer, named: Mapping[Place, str]) -> Problem:
    place = tuple(step.partition("[")[0] for step in problem.place)
    return Problem(problem.place, problem.reason, named.get(place) or layer.origin(place))
