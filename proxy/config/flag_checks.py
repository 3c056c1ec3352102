"""What the types cannot say about single flags' failure policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .schema import Place
from .settings import FlagPolicy, Policy, Settings


def flag_policy_faults(settings: Settings, _: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Yield every fault."""
    policies: dict[Place, Policy] = {("policy",): settings.policy}
    policies |= {("projects", name, "policy"): project.policy for name, project in settings.projects.items() if project.policy}
    for place, policy in policies.items():
        for key, flag in policy.flags.items():
            for field, reason in _faults(flag, policy):
                yield (*place, "flags", key, field), reason


def _faults(flag: FlagPolicy, policy: Policy) -> Iterator[tuple[str, str]]:
    is_fixed = flag.failure == "fixed-value"
    if is_fixed and flag.value is None:
        yield "value", "required with fixed-value: a boolean, or the key of a variant"
    if not is_fixed and flag.value is not None:
        yield "value", f'means nothing with {flag.failure}; write failure = "fixed-value"'
    if flag.value == "":
        yield "value", "an empty text is no variant"
    if flag.failure != "fail-static" and "configured" not in policy.rungs:
        yield "failure", 'never used: the policy\'s rungs do not name "configured"'
    if flag.stale is False and flag.stale_if_error_s is not None:
        yield "stale_if_error_s", "means nothing where stale = false"
