"""Writes docs/outages.md from the scenario table. Nothing on the page is typed by hand, so nothing on it can grow old.

The section with what was measured is written by `play`, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from harness.faults.further import FURTHER
from harness.faults.incidents import INCIDENTS
from harness.faults.scenario import Known, Scenario

COMMAND: Final = "python -m harness.scenarios table --write docs/outages.md"

INTRODUCTION: Final = f"""\
# Outages, and what holds in them today

<!-- Written by `{COMMAND}` from harness/faults; edit there. -->

Eight real outages of PostHog's flag service and the further faults that users report, each a named scenario that is played on
real sockets in front of the proxy: a semantic layer says wrong things, a TCP relay breaks the network. The fault lane
(`tests/faults`) holds the proxy to exactly the columns under *today*; *owed* is what the resilience engine is built for, done
or not. Nobody there keeps definitions: what they add stands on its own page.

- **known**: a caller whose question was answered before. *remembered*: the last good answer, with
  `errorsWhileComputingFlags: true`, `Cache-Status: …; detail=stale`, `Age` and the reason in `Proxy-Status`. *filled*: the
  service's own answer with what it lacks from memory, flag by flag. *as said*: relayed as the service said it. *live*: the true
  answer, as ever.
- **stranger**: status for a question never asked before, while the breaker is still closed; once it is open, 503 with
  `Retry-After`, without asking anybody. A 502 or 504 is never given: every SDK would ask again.
- **breaker**: *opens*: the service is left alone but for one probe in each open period (at most 15 s, or 30 s where it asks for
  that), until three in a row are good; then a tenth of the questions is asked, and all of them ten seconds later. Answers are
  normal within 30 s of the end of an outage.

`flags-harness faults list` names them. To play one by hand, with a proxy in front of the first address:

```
python -m harness.faults serve --scenario rate-limit-flood --factor 60
HOLDFAST_UPSTREAMS__DEFAULT__URL=http://127.0.0.1:PORT flags-proxy serve
```

The second address it prints is a control endpoint: `PUT /scenario` with `{{"id": "slow", "factor": 60}}`, `PUT /phase`,
`DELETE /phase`, `GET /`.
"""

_KNOWN: Final = {each: each.value for each in Known}


def page(measured: str = "") -> str:
    """Return the whole page; `measured`: the section that `play` wrote, which is kept as it is."""
    return "\n".join(
        [
            INTRODUCTION,
            "## The eight outages\n",
            *_table(INCIDENTS, has_source=True),
            "",
            "## Further faults\n",
            *_table(FURTHER, has_source=False),
            "",
            *([measured, ""] if measured else []),
        ]
    )


def _table(scenarios: Iterable[Scenario], *, has_source: bool) -> list[str]:
    source = ("when",) if has_source else ()
    titles = ("scenario", *source, "callers saw", "owed", "today: known", "stranger", "breaker", "reason told", "note")
    return [_row(titles), _row("---" for _ in titles), *(_row(_cells(each, has_source=has_source)) for each in scenarios)]


def _cells(scenario: Scenario, *, has_source: bool) -> Iterable[str]:
    today = scenario.today
    yield f"`{scenario.id}`"
    if has_source:
        yield scenario.source
    yield scenario.saw
    yield scenario.expected
    yield _KNOWN[today.known]
    yield str(today.stranger)
    yield "opens" if today.trips else "–"
    yield f"`{today.trouble}`" if today.trouble else "–"
    yield today.note


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
