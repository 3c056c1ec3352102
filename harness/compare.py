"""How two answers about one flag and one person relate: a pure function, kinds kept apart.

Declining is not wrong, it is a (billable) remote call: three classes of its own, by who declines. A subject that hands a flag
to the service declines it too where the base fails to evaluate it: nobody said more. Values are compared with JSON kinds kept
apart (`1`, `1.0` and `true` are three values). Payloads are compared decoded, because some SDKs hand out the stored text and
others its content. Reasons count where both sides give one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reference.json import Json

from .subjects.protocol import Status, Verdict


class Kind(StrEnum):
    """What the comparison came to.

    `rash`: the subject decides what cannot be known locally, and the service, with nothing stored, would answer otherwise.
    """

    AGREE = "agree"
    BOTH_DECLINE = "both decline"
    SUBJECT_DECLINES = "subject declines"
    BASE_DECLINES = "base declines"
    PRESENCE = "presence"
    FAILURE = "failure"
    VALUE = "value"
    PAYLOAD = "payload"
    REASON = "reason"
    RASH = "rash"

    @property
    def is_difference(self) -> bool:
        """Whether one of the two must be wrong."""
        return self in {Kind.PRESENCE, Kind.FAILURE, Kind.VALUE, Kind.PAYLOAD, Kind.REASON, Kind.RASH}


_WITHOUT_VALUE: Final = {
    (Status.FAILED, Status.FAILED): Kind.AGREE,
    (Status.FAILED, Status.INCONCLUSIVE): Kind.BOTH_DECLINE,
    (Status.INCONCLUSIVE, Status.INCONCLUSIVE): Kind.BOTH_DECLINE,
    (Status.VALUE, Status.INCONCLUSIVE): Kind.SUBJECT_DECLINES,
    (Status.INCONCLUSIVE, Status.VALUE): Kind.BASE_DECLINES,
}
"""Base's and subject's status, where one at least has no value → kind; any other pair with a failure is a difference."""


def compare(base: Verdict | None, subject: Verdict | None) -> Kind:
    """Compare a subject's answer with the base's; None stands for a flag that is not in the answer."""
    if base is None or subject is None or Status.NOTHING in {base.status, subject.status}:
        return _with_nothing(base, subject)
    if (base.status, subject.status) != (Status.VALUE, Status.VALUE):
        return _WITHOUT_VALUE.get((base.status, subject.status), Kind.FAILURE)
    if not same_json(base.value, subject.value):
        return Kind.VALUE
    told_both = not (base.value_only or subject.value_only)
    if told_both and not same_json(decoded(base.payload), decoded(subject.payload)):
        return Kind.PAYLOAD
    told = base.reason is not None and subject.reason is not None
    return Kind.REASON if told and not same_json(base.reason, subject.reason) else Kind.AGREE


def _with_nothing(base: Verdict | None, subject: Verdict | None) -> Kind:
    """Compare where one is absent, or has no value: that may stand for anything but a value."""
    statuses = {None if one is None else one.status for one in (base, subject)}
    if len(statuses) == 1 or statuses == {None, Status.NOTHING}:
        return Kind.AGREE
    return Kind.PRESENCE if None in statuses or Status.VALUE in statuses else Kind.BOTH_DECLINE


def same_json(left: Json, right: Json) -> bool:
    """Tell whether two JSON values are the same, kinds included; the order of object keys does not matter."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same_json(a, b) for a, b in zip(left, right, strict=True))
    return type(left) is type(right) and left == right


def decoded(payload: Json) -> Json:
    """Return the content of a payload that came as JSON text; anything else as it is."""
    if not isinstance(payload, str):
        return payload
    try:
        content: Json = json.loads(payload, parse_constant=_not_json)
    except ValueError:
        return payload
    return content


def _not_json(name: str) -> Json:
    """Refuse `NaN` and the infinities, which Python reads: they are texts, and NaN would not even equal itself."""
    raise ValueError(name)
