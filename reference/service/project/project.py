"""One project, ready to answer: definitions compiled, document served, people looked up, keys checked.

Immutable: a reload makes new projects. What requests write is in `memory`, which outlives them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from msgspec import UNSET

from reference.definitions.errors import DefinitionsError
from reference.definitions.model import Flag
from reference.definitions.parse import parse_definitions
from reference.evaluate import Program, compile_definitions
from reference.json import JsonObject
from reference.response import FEATURE_FLAGS, RECORDINGS

from .file import DefinitionsFileError, ProjectFile, ServiceSection, read_file
from .people import People
from .served import Served, is_encrypted, serve

_FULL_ROLLOUT: Final = 100.0


class Project(NamedTuple):
    """One project.

    Attributes:
        section: The `service` section as the file has it.
        document: The definitions document as the file has it.
        program: Its flags, compiled; encrypted ones left out.
        served: What the definitions endpoint answers.
        people: Stored persons, groups and memberships.
        config: Remote config; None imitates a cache miss.
        continuity: Keys of the flags that keep a stored identity.
        continuity_matters: Some of them can give another answer for another identity (contract §5.9).
    """

    section: ServiceSection
    document: JsonObject
    program: Program
    served: Served
    people: People
    config: JsonObject | None
    continuity: tuple[str, ...]
    continuity_matters: bool

    @property
    def is_over_quota(self) -> bool:
        """The project used up its feature-flag requests."""
        return FEATURE_FLAGS in self.section.over_quota

    @property
    def is_replay_over_quota(self) -> bool:
        """The project used up its session recordings."""
        return RECORDINGS in self.section.over_quota


class Catalogue:
    """All projects of a file, found by public token."""

    def __init__(self, projects: list[Project]) -> None:
        self.projects = tuple(projects)
        self._by_token = {token: project for project in projects for token in project.section.tokens}

    def by_token(self, token: str) -> Project | None:
        """Find the project of a public token."""
        return self._by_token.get(token)


def load_catalogue(text: bytes) -> Catalogue:
    """Load a definitions file.

    Raises:
        DefinitionsFileError: The file as a whole cannot be used; odd single flags or cohorts spoil only themselves.
    """
    return Catalogue([build_project(file) for file in read_file(text)])


def build_project(file: ProjectFile) -> Project:
    """Make one project of what the file says about it."""
    document, section = file.document, file.section
    try:
        definitions = parse_definitions({**document, "flags": _evaluated(document)})
        everything = parse_definitions(document)
    except DefinitionsError as error:
        raise DefinitionsFileError(str(error)) from error
    continuity = [flag for flag in definitions.flags if _keeps_identity(flag)]
    return Project(
        section=section,
        document=document,
        program=compile_definitions(definitions),
        served=serve(document, everything),
        people=People(section, listed=definitions.cohorts),
        config=_default_config(document, section) if section.config is UNSET else section.config,
        continuity=tuple(flag.key for flag in continuity),
        continuity_matters=any(_depends_on_identity(flag) for flag in continuity),
    )


def _evaluated(document: JsonObject) -> Any:
    flags = document.get("flags")
    return [flag for flag in flags if not (isinstance(flag, dict) and is_encrypted(flag))] if isinstance(flags, list) else flags


def _keeps_identity(flag: Flag) -> bool:
    is_personal = flag.aggregation.group_type_index is None and not flag.bucket_by_device
    return flag.ensure_experience_continuity and flag.active and not flag.deleted and is_personal


def _depends_on_identity(flag: Flag) -> bool:
    return bool(flag.variants) or any(condition.rollout_percentage < _FULL_ROLLOUT for condition in flag.conditions)


def _default_config(document: JsonObject, section: ServiceSection) -> JsonObject:
    """Give a config like that of a new project with everything but flags switched off."""
    return {
        "token": section.tokens[0] if section.tokens else "",
        "supportedCompression": ["gzip", "gzip-js"],
        "hasFeatureFlags": bool(document.get("flags")),
        "captureDeadClicks": False,
        "capturePerformance": {"network_timing": False, "web_vitals": False},
        "autocapture_opt_out": False,
        "autocaptureExceptions": False,
        "analytics": {"endpoint": "/i/v0/e/"},
        "elementsChainAsString": True,
        "sessionRecording": False,
        "heatmaps": False,
        "surveys": False,
        "defaultIdentifiedOnly": True,
        "siteApps": [],
        "isAuthenticated": False,
        "toolbarParams": {},
        "config": {"enable_collect_everything": True},
    }
