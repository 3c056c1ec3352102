"""The eight real outages of the flag service between 2024 and 2026 as scenarios, in their own time.

Shares and spans are those of the published post-mortems. Where one says "errors", they are played as the service's 500; where
it says "seconds", as answers that come after an SDK has given up.
"""

from __future__ import annotations

from typing import Final

from .fault import AnyFault, Emptied, Endpoint, Outdated, Rule, Say, Slow
from .scenario import Scenario, failing, held, relayed
from .schedule import Phase

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
INGRESS_GIVES_UP_S: Final = 5.0
"""The service's own ingress answers 504 after this."""

ERROR: Final = Say(
    status=500,
    body='{"type":"server_error","code":"error","detail":"A server error occurred.","attr":null}',
    content_type="application/json",
)
GATEWAY_TIMEOUT: Final = Say(status=504, body="upstream request timeout", after_s=INGRESS_GIVES_UP_S)
FLOOD: Final = Say(
    status=429,
    body='{"type":"throttled_error","code":"throttled","detail":"Request was throttled.","attr":null}',
    content_type="application/json",
    headers=(("Retry-After", "5"),),
)


def _for(duration_s: float, fault: AnyFault, *, probability: float = 1.0, endpoint: Endpoint = Endpoint.FLAGS) -> Phase:
    return Phase(duration_s=duration_s, rules=(Rule(fault=fault, probability=probability, endpoint=endpoint),))


INCIDENTS: Final[tuple[Scenario, ...]] = (
    Scenario(
        id="retry-storm",
        saw="errors, multiplied by the SDKs' retries",
        source="2024-02-28, ~3 h",
        phases=(_for(3 * HOUR_S, ERROR),),
        expected="load on the service falls during the outage; known callers are answered from memory",
        today=failing("status", stranger=500),
    ),
    Scenario(
        id="undefined-200",
        saw="200 with every flag missing",
        source="2025-04 (EU), one deploy",
        phases=(_for(20 * MINUTE_S, Emptied()),),
        expected="an emptied answer where a full one was seen is held until confirmed",
        today=held("suspect", note="held until confirmed 3 times over 60 s; a project of fewer than 5 flags is believed"),
    ),
    Scenario(
        id="gateway-timeouts",
        saw="78 % of requests 504 after a full timeout",
        source="2025-09-29, 1 h 48 min",
        phases=(_for(108 * MINUTE_S, GATEWAY_TIMEOUT, probability=0.78),),
        expected="a deadline of our own below the SDK's 3 s, then a breaker; remembered answers for longer than an hour",
        today=failing("timeout"),
    ),
    Scenario(
        id="partial-errors",
        saw="38 % errors, the rest fine",
        source="2025-10-21, 103 min",
        phases=(_for(103 * MINUTE_S, ERROR, probability=0.38),),
        expected="a rolling error rate trips where failures in a row never would",
        today=failing("status", stranger=500),
    ),
    Scenario(
        id="rate-limit-flood",
        saw="97 % of requests 429",
        source="2025-10-24, 72 min",
        phases=(_for(72 * MINUTE_S, FLOOD, probability=0.97),),
        expected="429 is held against the project; `Retry-After` is honoured",
        today=failing(
            "rate_limited",
            stranger=429,
            note="the project is left alone for as long as `Retry-After` says, 30 s at most; others go on being asked",
        ),
    ),
    Scenario(
        id="partial-errors-2",
        saw="34 % errors, in waves",
        source="2025-10-28, 123 min",
        phases=(
            _for(50 * MINUTE_S, ERROR, probability=0.34),
            Phase(duration_s=13 * MINUTE_S),
            _for(60 * MINUTE_S, ERROR, probability=0.34),
        ),
        expected="as partial-errors, and again after each recovery",
        today=failing("status", stranger=500),
    ),
    Scenario(
        id="slow",
        saw="slow, not failing: seconds, correct answers",
        source="2025-10-29, 7 h 9 min",
        phases=(_for(429 * MINUTE_S, Slow(seconds=4.0, jitter_s=1.0)),),
        expected="answered from elsewhere before the SDK gives up; slow calls trip; work on the service is cancelled",
        today=failing("timeout", note="calls of 1.5 s are slow, and trip while still under way"),
    ),
    Scenario(
        id="outdated-200",
        saw="200 with outdated flags, definitions frozen",
        source="2026-02-02, 4 days",
        phases=(_for(96 * HOUR_S, Outdated(), endpoint=Endpoint.ALL),),
        expected="disagreement with newer definitions is noticed; the age is exported and alerted",
        today=relayed(note="believed, and noticed where definitions held are newer; here both stand still"),
    ),
)
