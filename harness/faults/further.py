"""Every further fault that users report, as scenarios of five minutes: network, broken messages, refusals, bad content."""

from __future__ import annotations

from typing import Final

from reference.response import Refusal, error_answer

from .fault import (
    PASS,
    AnyFault,
    BadDefinitions,
    Breakage,
    Broken,
    Defect,
    Emptied,
    Endpoint,
    Failing,
    How,
    RelayFault,
    Rule,
    Say,
    Shrunk,
)
from .scenario import Known, Scenario, Today, failing, filled, held, relayed
from .schedule import Phase

LASTS_S: Final = 300.0
SOURCE: Final = "reported by users"
FROM_MEMORY: Final = "known callers are answered from memory, strangers get a fast 503; the breaker opens"
REAL_OR_NOT: Final = "compared with other keys: one refused is real, all refused is an outage, held ≤ 15 min"
KEEP_SET: Final = "the set is refused, the last good one stays in use; flags it does not touch stay right"


def _refusal(refusal: Refusal) -> Say:
    answer = error_answer(refusal)
    return Say(status=answer.status, body=answer.body.decode(), content_type=answer.content_type)


HTML: Final = "<!doctype html><title>We'll be back</title><h1>Maintenance</h1>"
ENVOY: Final = "upstream connect error or disconnect/reset before headers. reset reason: connection timeout"


def _network(name: str, saw: str, fault: RelayFault, today: Today, *, expected: str = FROM_MEMORY) -> Scenario:
    return Scenario(
        id=name, saw=saw, source=SOURCE, phases=(Phase(duration_s=LASTS_S, relay=fault),), expected=expected, today=today
    )


def _content(
    name: str, saw: str, fault: AnyFault, today: Today, *, expected: str = FROM_MEMORY, endpoint: Endpoint = Endpoint.FLAGS
) -> Scenario:
    phase = Phase(duration_s=LASTS_S, rules=(Rule(fault=fault, endpoint=endpoint),))
    return Scenario(id=name, saw=saw, source=SOURCE, phases=(phase,), expected=expected, today=today)


def _definitions(name: str, saw: str, fault: AnyFault, *, expected: str = KEEP_SET, status: int = 200) -> Scenario:
    today = relayed(stranger=status, note="as relayed, where a project keeps no definitions; flags answers are not touched")
    return _content(name, saw, fault, today, expected=expected, endpoint=Endpoint.DEFINITIONS)


FURTHER: Final[tuple[Scenario, ...]] = (
    _network("connection-refused", "nobody listens", RelayFault(how=How.REFUSE), failing("connection_refused")),
    Scenario(
        id="dns-failure",
        saw="the service's name does not resolve",
        source=SOURCE,
        phases=(Phase(duration_s=LASTS_S, relay=PASS, is_resolvable=False),),
        expected=FROM_MEMORY,
        today=failing("dns_error"),
    ),
    _network("reset-before-headers", "RST before an answer", RelayFault(how=How.RESET_BEFORE), failing("connection_reset")),
    _network("reset-after-headers", "RST after the answer's head", RelayFault(how=How.RESET_AFTER), failing("incomplete")),
    _network("silent", "accepted, never answered", RelayFault(how=How.SILENCE), failing("timeout")),
    _network("hang", "nothing after the first 20 bytes", RelayFault(how=How.HANG, bytes=20), failing("timeout")),
    _network("drip", "one byte a second", RelayFault(how=How.DRIP, interval_s=1.0), failing("timeout")),
    _network("truncated", "closed in the middle", RelayFault(how=How.TRUNCATE, bytes=400), failing("incomplete")),
    _network(
        "half-open",
        "idle connections died without a word",
        RelayFault(how=How.HALF_OPEN),
        Today(
            known=Known.LIVE,
            stranger=200,
            note="one request for each dead connection waits for its deadline and is answered from memory; then fresh ones",
        ),
        expected="each dead connection costs one deadline and no wrong answer",
    ),
    _network(
        "latency",
        "every answer 30 ± 20 ms late",
        RelayFault(how=How.LATENCY, delay_s=0.03, jitter_s=0.02),
        Today(known=Known.LIVE, stranger=200),
        expected="waited for: this is weather, not an outage",
    ),
    _content("truncated-json", "JSON that stops half way", Broken(how=Breakage.TRUNCATED_JSON), failing("malformed")),
    _content("bad-gzip", "gzip that does not inflate", Broken(how=Breakage.BAD_GZIP), failing("malformed")),
    _content("length-too-long", "`Content-Length` above the body", Broken(how=Breakage.LENGTH_TOO_LONG), failing("incomplete")),
    _content(
        "length-too-short", "`Content-Length` below the body", Broken(how=Breakage.LENGTH_TOO_SHORT), failing("malformed")
    ),
    _content("chunks-cut", "a chunked body cut in half", Broken(how=Breakage.CUT_CHUNKS), failing("incomplete")),
    _content("html-200", "HTML with status 200", Say(status=200, body=HTML, content_type="text/html"), failing("malformed")),
    _content("gateway-503", "a gateway's plain-text 503", Say(status=503, body=ENVOY), failing("status", stranger=503)),
    _content("bad-gateway", "502", Say(status=502, body=HTML, content_type="text/html"), failing("status")),
    _content("gateway-timeout", "504 at once", Say(status=504, body="upstream request timeout"), failing("status")),
    _content(
        "invalid-key",
        "401 for every key, those of a minute ago included",
        _refusal(Refusal.UNKNOWN_TOKEN),
        failing(
            "auth", stranger=401, note="held for 15 min at most; an operator can have it relayed at once; a new key is relayed"
        ),
        expected=REAL_OR_NOT,
    ),
    _content(
        "partly-failed",
        "`errorsWhileComputingFlags`, half of the flags `failed`",
        Failing(share=0.5),
        filled(note="what nobody knows is left out, or refused with 503 where an SDK would read it as false"),
        expected="failed records are filled from memory, flag by flag",
    ),
    _content(
        "shrunk",
        "an error-free 200 that lacks half of the flags",
        Shrunk(kept=0.5),
        held("suspect", note="as undefined-200; the loss of fewer flags is believed at once: kill switches look like that"),
        expected="held until confirmed when more than 30 % and at least 5 flags are missing",
    ),
    _definitions("definitions-402", "402 on definitions", _refusal(Refusal.OVER_QUOTA), expected=REAL_OR_NOT, status=402),
    _definitions("definitions-emptied", "an empty list of flags", Emptied()),
    _definitions("definitions-unknown-operator", "an unknown operator", BadDefinitions(defect=Defect.UNKNOWN_OPERATOR)),
    _definitions("definitions-cohort", "an unresolvable cohort", BadDefinitions(defect=Defect.UNRESOLVABLE_COHORT)),
    _definitions("definitions-cycle", "a dependency cycle", BadDefinitions(defect=Defect.CYCLE)),
)
