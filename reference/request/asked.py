"""What a request asks about, and by which device it is bucketed (contract §2.2, §5.2, §5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from reference.context import Selection

from .fields import FlagsBody
from .runtime import runtime_of


def selection_of(body: FlagsBody, headers: Mapping[str, str], *, survey_only: bool) -> Selection:
    """Tell which flags a request asks about.

    Args:
        body: Its fields.
        headers: Its header lines, looked up without regard to case.
        survey_only: The query says `only_evaluate_survey_feature_flags`.
    """
    return Selection(
        flag_keys=None if body.flag_keys is None else tuple(body.flag_keys),
        runtime=runtime_of(body.evaluation_runtime, headers),
        evaluation_contexts=tuple(body.evaluation_contexts or ()),
        survey_only=survey_only,
    )


def device_of(body: FlagsBody) -> str:
    """Take the device from the request only: a *stored* `$device_id` is never bucketed by, hence "" and not None."""
    sent = (body.person_properties or {}).get("$device_id")
    return body.device_id or (sent if isinstance(sent, str) else "")
