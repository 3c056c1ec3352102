"""Who may read definitions and remote config (contract §4.2): a bearer key, checked against a project."""

from __future__ import annotations

from typing import Final

from reference.response import Refusal
from reference.service.project.project import Catalogue, Project
from reference.service.reply import Call

SECRET_PREFIX: Final = "phs_"  # noqa: S105 - a prefix, no secret
SCOPES: Final = frozenset({"*", "feature_flag:read", "feature_flag:write"})


def bearer(call: Call) -> str | None:
    """Take the key from the `Authorization` header, the only place that is looked at."""
    scheme, _, key = call.headers.get("Authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def check_key(call: Call, project: Project, catalogue: Catalogue) -> Refusal | None:
    """Say why the caller may not read a project's definitions; None when they may."""
    key = bearer(call)
    if key is None:
        return Refusal.NO_CREDENTIALS
    if key.startswith(SECRET_PREFIX):
        return None if key in project.section.secret_keys else Refusal.BAD_SECRET_KEY
    row = project.section.personal_keys.get(key)
    if row is None:
        is_known = any(key in other.section.personal_keys for other in catalogue.projects)
        return Refusal.MISSING_SCOPE if is_known else Refusal.BAD_PERSONAL_KEY
    if not row.active:
        return Refusal.BAD_PERSONAL_KEY
    return None if row.scopes is None or not SCOPES.isdisjoint(row.scopes) else Refusal.MISSING_SCOPE


def project_of_key(call: Call, catalogue: Catalogue) -> Project | None:
    """Find the project that a bearer key belongs to, for calls that name none."""
    key = bearer(call)
    found = (p for p in catalogue.projects if key in p.section.personal_keys or key in p.section.secret_keys)
    return next(found, None)
