"""Reads a definitions request: whose project, which key, what the caller has; both secrets leave here as HMACs.

Only a request that names exactly one token of a project with definitions, and shows exactly one bearer key, is ours to
answer. Everything else is the service's to judge: it is relayed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec
from multidict import MultiMapping

from proxy.config.settings import Project
from proxy.definitions.acceptance import Opening

TOKEN_HEADER: Final = "X-PostHog-Project-Api-Key"  # noqa: S105 - the name of a header
ENDPOINT: Final = "definitions"
"""One name for both paths: they are aliases of each other (contract §1.1)."""

_LONGEST_QUERY: Final = 4096
_MOST_FIELDS: Final = 64

Lines: TypeAlias = MultiMapping[str]


class Seal:
    """Turns keys and tokens into what may be remembered; without its secret nobody can tell one from the other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def change(self, secret: bytes) -> None:
        """Use another secret from now on; what was remembered under the one before opens nothing any more."""
        self._secret = secret

    def __call__(self, text: str) -> str:
        """Return the HMAC-SHA256 of a key or token, hexadecimal."""
        return hmac.new(self._secret, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


class Asked(msgspec.Struct, frozen=True):
    """One request that is ours to answer.

    Attributes:
        opening: What is asked for, by whom: the name under which an acceptance is remembered.
        etag: `If-None-Match`, raw; None: the caller has nothing.
    """

    opening: Opening
    etag: str | None

    @property
    def project(self) -> str:
        """The project's name in the configuration."""
        return self.opening.project


class Reader:
    """Reads requests under one configuration."""

    def __init__(self, projects: Mapping[str, Project], seal: Seal) -> None:
        self._seal = seal
        self._project_of = {
            token: name for name, project in projects.items() if project.definitions is not None for token in project.tokens
        }

    def project(self, query: str, headers: Lines) -> str | None:
        """Return the project that a request names, and which keeps definitions; None: it names none, or not one."""
        token = _token(query, headers)
        return None if token is None else self._project_of.get(token)

    def read(self, query: str, headers: Lines) -> Asked | None:
        """Return what is asked; None: not ours to answer."""
        token, key = _token(query, headers), _bearer(headers)
        project = None if token is None else self._project_of.get(token)
        if token is None or key is None or project is None:
            return None
        return Asked(Opening(self._seal(key), project, self._seal(token), ENDPOINT), headers.get("If-None-Match"))


def _token(query: str, headers: Lines) -> str | None:
    """Return the one token that is shown; None: none, several, or a query that another parser may read otherwise."""
    if len(query) > _LONGEST_QUERY:
        return None
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    in_query = [value for name, value in fields if name == "token"]
    in_header = headers.getall(TOKEN_HEADER, ())
    shown = {*in_query, *in_header}
    return next(iter(shown)) if len(shown) == 1 and len(in_query) <= 1 and len(in_header) <= 1 else None


def _bearer(headers: Lines) -> str | None:
    """Return the key of the one `Authorization` line; the service looks nowhere else (contract §4.2)."""
    lines = headers.getall("Authorization", ())
    scheme, _, key = lines[0].partition(" ") if len(lines) == 1 else ("", "", "")
    return key.strip() or None if scheme.lower() == "bearer" else None
