"""Flag requests made by hand, as the decoder would make them."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.answer.key import Scope, key_for
from proxy.answer.request import Family, FlagsRequest, Key, ProjectName, UpstreamName
from proxy.config.settings import Policy

PROJECT, UPSTREAM = ProjectName("default"), UpstreamName("default")


def key(distinct_id: str = "user-1", **fields: Any) -> Key:
    scope = Scope(PROJECT, Family.FLAGS, "v=2", [], "")
    made = key_for(scope, {"token": "t", "distinct_id": distinct_id, **fields})
    assert made is not None
    return made


def flags_request(distinct_id: str = "user-1", *, policy: Policy | None = None, **changes: Any) -> FlagsRequest:
    plain = FlagsRequest(
        project=PROJECT,
        upstream=UPSTREAM,
        policy=policy or Policy(),
        family=Family.FLAGS,
        path="/flags/",
        method="POST",
        query="v=2",
        headers=(),
        body=b"{}",
        key=key(distinct_id),
        asked=None,
        version=2,
        deadline=1e12,
    )
    return msgspec.structs.replace(plain, **changes)
