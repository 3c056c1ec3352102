"""What goes wrong in the matrix, as a table: one row of the document each.

Where the catalogue of scenarios has the fault, it is played exactly as there. A trial on flags is met by applications that ask
the service; a trial on definitions by those that evaluate locally. What the network does, it does to both endpoints.
"""

from __future__ import annotations

from typing import Final

import msgspec

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import (
    AnyFault,
    BadDefinitions,
    Breakage,
    Broken,
    Defect,
    Emptied,
    Endpoint,
    Failing,
    Outdated,
    Rule,
    Say,
    Shrunk,
    Slow,
)
from harness.faults.schedule import Phase
from reference.response import Refusal, error_answer

LASTS_S: Final = 3600.0


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One fault.

    Attributes:
        id: Its name in the data and in the document.
        does: What the service or the network does, in a few words.
        phase: How it is played.
        is_outdated: The flag asked for changes once the fault is on.
        is_quick: Nobody waits for a time limit because of it.
    """

    id: str
    does: str
    phase: Phase
    is_outdated: bool = False
    is_quick: bool = True

    @property
    def is_played_alone(self) -> bool:
        """Whether what one application meets changes what the next one does.

        A fault that is over soon meets only the first; and where flags are missing, one application that asks for all of them
        shows the proxy what is wrong, to the good of those too that ask for one.
        """
        return any(rule.first or isinstance(rule.fault, Emptied | Shrunk) for rule in self.phase.rules)


def _said(status: int, body: str = "", content_type: str = "application/json", *, retry_after: int = 0) -> Say:
    headers = (("Retry-After", str(retry_after)),) if retry_after else ()
    return Say(status=status, body=body, content_type=content_type, headers=headers)


def _refused(refusal: Refusal) -> Say:
    answer = error_answer(refusal)
    return Say(status=answer.status, body=answer.body.decode(), content_type=answer.content_type)


def _known(name: str, does: str, *, scenario: str = "", is_quick: bool = True) -> Trial:
    """Return a scenario's worst phase as a trial."""
    worst = SCENARIOS[scenario or name].worst
    rules = tuple(msgspec.structs.replace(rule, probability=1.0) for rule in worst.rules)
    return Trial(id=name, does=does, phase=Phase(duration_s=LASTS_S, rules=rules, relay=worst.relay), is_quick=is_quick)


def _on(
    endpoint: Endpoint,
    name: str,
    does: str,
    fault: AnyFault,
    *,
    first: int = 0,
    is_quick: bool = True,
    is_outdated: bool = False,
) -> Trial:
    rule = Rule(fault=fault, endpoint=endpoint, first=first)
    return Trial(id=name, does=does, phase=Phase(duration_s=LASTS_S, rules=(rule,)), is_outdated=is_outdated, is_quick=is_quick)


def _flags(name: str, does: str, fault: AnyFault, *, first: int = 0, is_quick: bool = True, is_outdated: bool = False) -> Trial:
    return _on(Endpoint.FLAGS, name, does, fault, first=first, is_quick=is_quick, is_outdated=is_outdated)


def _definitions(name: str, does: str, fault: AnyFault) -> Trial:
    return _on(Endpoint.DEFINITIONS, name, does, fault)


ERROR: Final = '{"type":"server_error","code":"error","detail":"A server error occurred.","attr":null}'
THROTTLED: Final = '{"type":"throttled_error","code":"throttled","detail":"Request was throttled.","attr":null}'
BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head></html>"
OVER_QUOTA: Final = '{"flags":{},"errorsWhileComputingFlags":false,"quotaLimited":["feature_flags"]}'
HTML: Final = "<!doctype html><title>We'll be back</title><h1>Maintenance</h1>"

ON_FLAGS: Final = (
    _known("connection-refused", "refuses connections"),
    _known("reset-before-headers", "resets before an answer"),
    _known("reset-after-headers", "resets after the answer's head"),
    _known("truncated", "closes in the middle of the answer"),
    _known("silent", "accepts and never answers (black hole)", is_quick=False),
    _known("hang", "stops after 20 bytes of the answer", is_quick=False),
    _known("drip", "sends one byte a second", is_quick=False),
    _flags("slow-2s", "answers after 2 s", Slow(seconds=2), is_quick=False),
    _known("slow", "answers later than the SDK waits", is_quick=False),
    _flags("429", "429", _said(429, THROTTLED)),
    _flags("429-retry-after", "429 with `Retry-After: 5`", _said(429, THROTTLED, retry_after=5)),
    _flags("500", "500", _said(500, ERROR)),
    _flags("502-once", "502 once, then well", _said(502, BAD_GATEWAY, "text/html"), first=1, is_quick=False),
    _flags("502", "502", _said(502, BAD_GATEWAY, "text/html"), is_quick=False),
    _known("gateway-503", "a gateway's plain-text 503"),
    _known("gateway-timeout", "504 at once", is_quick=False),
    _known("gateway-timeouts", "504 after 5 s", is_quick=False),
    _known("invalid-key", "401"),
    _flags("402", "402", _refused(Refusal.OVER_QUOTA)),
    _flags("quota-limited", "200, `quotaLimited` and no flags", _said(200, OVER_QUOTA)),
    _flags("empty-object", "200 `{}`", _said(200, "{}")),
    _flags("empty-body", "200 without a body", _said(200)),
    _known("html-200", "200 with HTML"),
    _known("truncated-json", "200, JSON that stops half way"),
    _known("bad-gzip", "200, gzip that does not inflate"),
    _known("partly-failed", "200, half of the flags `failed`"),
    _flags("failed", "200, every flag `failed`", Failing(share=1.0)),
    _known("undefined-200", "200, every flag missing"),
    _known("shrunk", "200, half of the flags missing"),
    _flags("outdated-200", "200, outdated content", Outdated(), is_outdated=True),
)

ON_DEFINITIONS: Final = (
    _known("connection-refused", "refuses connections"),
    _known("reset-before-headers", "resets before an answer"),
    _known("silent", "accepts and never answers (black hole)", is_quick=False),
    _definitions("401", "401", _refused(Refusal.BAD_PERSONAL_KEY)),
    _known("402", "402", scenario="definitions-402"),
    _definitions("403", "403", _refused(Refusal.MISSING_SCOPE)),
    _definitions("429", "429", _said(429, THROTTLED)),
    _definitions("500", "500", _said(500, ERROR)),
    _definitions("gateway-503", "a gateway's plain-text 503", _said(503, "upstream connect error", "text/plain")),
    _definitions("html-200", "200 with HTML", _said(200, HTML, "text/html")),
    _definitions("empty-object", "200 `{}`", _said(200, "{}")),
    _definitions("truncated-json", "200, JSON that stops half way", Broken(how=Breakage.TRUNCATED_JSON)),
    _definitions("emptied", "200, an empty list", Emptied()),
    _definitions("unknown-operator", "200, one flag with an unknown operator", BadDefinitions(defect=Defect.UNKNOWN_OPERATOR)),
    _definitions("cohort", "200, one flag with an unresolvable cohort", BadDefinitions(defect=Defect.UNRESOLVABLE_COHORT)),
    _definitions("cycle", "200, two flags that need each other", BadDefinitions(defect=Defect.CYCLE)),
)
