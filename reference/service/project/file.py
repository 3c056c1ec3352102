"""The definitions file: a definitions document plus a `service` section that says what a document cannot (README.md here).

Unknown keys of the section are errors with a JSON path, so that a misspelt one does not silently mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from reference.json import JsonObject

DEFAULT_TOKEN: Final = "phc_holdfast_sample"  # noqa: S105 - public by nature
DEFAULT_PERSONAL_KEY: Final = "phx_holdfast_sample"


class DefinitionsFileError(ValueError):
    """The file cannot be used; the message says where and what to do, and holds none of its values."""


class PersonRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stored person and all the ids they are known by."""

    distinct_ids: list[str]
    properties: dict[str, Any] = {}
    created_at: str | None = None


class KeyRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A personal API key: scopes null means all of them."""

    scopes: list[str] | None = None
    active: bool = True


class ServiceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `service` section of one project. Meaning of the keys: README.md of this folder."""

    team_id: int = 1
    tokens: list[str] = msgspec.field(default_factory=lambda: [DEFAULT_TOKEN])
    personal_keys: dict[str, KeyRow] = msgspec.field(default_factory=lambda: {DEFAULT_PERSONAL_KEY: KeyRow()})
    secret_keys: list[str] = []
    timezone: str = "UTC"
    over_quota: list[str] = []
    config: dict[str, Any] | UnsetType | None = UNSET
    persons: list[PersonRow] = []
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    cohort_members: dict[str, list[str]] = {}
    hash_key_overrides: dict[str, dict[str, str]] = {}
    geoip: dict[str, dict[str, Any]] = {}
    projects: list[dict[str, Any]] = []


class ProjectFile(msgspec.Struct, frozen=True):
    """One project as the file tells it: the document without its `service` section, and that section."""

    document: JsonObject
    section: ServiceSection


def read_file(text: bytes) -> list[ProjectFile]:
    """Read a definitions file into its projects, the outermost first.

    Raises:
        DefinitionsFileError: Not JSON, not an object, or a `service` section with unknown or ill-typed keys.
    """
    try:
        root = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DefinitionsFileError(f"not JSON: {error}") from error
    return list(_projects(root, "$"))


def _projects(root: object, path: str) -> Iterator[ProjectFile]:
    if not isinstance(root, dict):
        raise DefinitionsFileError(f"{path}: must be an object with `flags`")
    section = _section(root.get("service", {}), f"{path}.service")
    yield ProjectFile({name: value for name, value in root.items() if name != "service"}, section)
    for index, nested in enumerate(section.projects):
        yield from _projects(nested, f"{path}.service.projects[{index}]")


def _section(value: object, path: str) -> ServiceSection:
    try:
        return msgspec.convert(value, ServiceSection)
    except msgspec.ValidationError as error:
        raise DefinitionsFileError(f"{path}: {error}") from error
