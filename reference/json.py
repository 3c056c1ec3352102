"""The JSON value type that every boundary of `reference` speaks.

Integers and floats are different kinds (`1` is not `1.0`: PostHog compares their text), and integers are exact at any size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
