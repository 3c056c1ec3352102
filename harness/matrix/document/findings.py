"""What is worth knowing of the matrix: sentences, each with the cells that show it. A test holds them to the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from harness.matrix.cells import AT_ONCE, Cell, Table
from harness.matrix.play.local import RUNNING, STARTING
from harness.matrix.play.outcome import ALL, KEPT, NOTHING, WIPED
from harness.matrix.play.remote import ALL_FLAGS, DIRECT, ONE_FLAG, PROXY, STRANGER_ONE
from harness.matrix.subjects import SUBJECTS
from harness.matrix.trials import ON_FLAGS

PYTHON, NODE, GO = SUBJECTS


class Shown(NamedTuple):
    """Cells, and what has to be true of each."""

    table: str
    trials: tuple[str, ...]
    subjects: tuple[str, ...]
    route: str
    is_so: Callable[[Cell], bool]


class Finding(NamedTuple):
    """A sentence, and what shows that it is true."""

    says: str
    shown: tuple[Shown, ...]


def untrue(finding: Finding, tables: Mapping[str, Table]) -> list[str]:
    """Name the cells that contradict a finding."""
    return [
        f"{each.table} / {trial} / {subject} / {each.route}"
        for each in finding.shown
        for trial in each.trials
        for subject in each.subjects
        if not each.is_so(tables[each.table][trial][subject][each.route])
    ]


def _got(*words: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.got in words


def _lost(word: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.lost == word


def _took(requests: int) -> Callable[[Cell], bool]:
    return lambda cell: cell.requests == requests


def _wiped(later: str) -> Callable[[Cell], bool]:
    return lambda cell: (cell.got, cell.later) == (WIPED, later)


_WHEREVER: Final = tuple(
    trial.id for trial in ON_FLAGS if trial.id not in {"quota-limited", "undefined-200", "shrunk", "outdated-200"}
)
_SHOWN_ALL: Final = tuple(trial.id for trial in ON_FLAGS if trial.id not in {"quota-limited", "outdated-200"})

FINDINGS: Final = (
    Finding(
        "**Somebody whose question was answered before gets the same flags through the proxy in every fault below but those "
        "that the last point names**, from one request, and never later than in 1–2 s.",
        (
            Shown(ONE_FLAG, _WHEREVER, SUBJECTS, PROXY, lambda cell: cell.got == "value" and cell.requests == 1),
            Shown(ALL_FLAGS, _SHOWN_ALL, SUBJECTS, PROXY, lambda cell: cell.got == ALL and cell.requests == 1),
            Shown(ONE_FLAG, _WHEREVER, SUBJECTS, PROXY, lambda cell: cell.lost in {AT_ONCE, "1–2 s"}),
        ),
    ),
    Finding(
        "**A service that accepts and never answers costs each call 6 s in python, 9 s in node and 3 s in go**, and then the "
        "default applies. Through the proxy it is one second and the flags; none once its breaker has opened.",
        (
            Shown(ONE_FLAG, ("silent", "hang", "slow"), (PYTHON,), DIRECT, _lost("5–7 s")),
            Shown(ONE_FLAG, ("silent", "hang", "slow"), (NODE,), DIRECT, _lost("8–11 s")),
            Shown(ONE_FLAG, ("silent", "hang", "slow"), (GO,), DIRECT, _lost("3–4 s")),
            Shown(ONE_FLAG, ("silent", "hang", "slow"), SUBJECTS, PROXY, _lost("1–2 s")),
        ),
    ),
    Finding(
        "**posthog-python sets no limit to a whole answer**: while a byte a second comes in, the call does not return.",
        (
            Shown(ONE_FLAG, ("drip",), (PYTHON,), DIRECT, _got("hangs")),
            Shown(ALL_FLAGS, ("drip",), (PYTHON,), DIRECT, _got("hangs")),
            Shown(ONE_FLAG, ("drip",), (PYTHON,), PROXY, _got("value")),
        ),
    ),
    Finding(
        "**One 502 or reset costs a node application 3 s**: it waits so long before it asks again. The proxy asks again "
        "itself, at once.",
        (
            Shown(ONE_FLAG, ("502-once", "reset-before-headers"), (NODE,), DIRECT, _lost("3–4 s")),
            Shown(ONE_FLAG, ("502-once",), SUBJECTS, PROXY, lambda cell: (cell.got, cell.told) == ("value", "")),
        ),
    ),
    Finding(
        "**A flag that the service could not compute (`failed`) is `false` in node and go**, which nobody decided; python "
        "gives nothing. The proxy fills it from memory.",
        (
            Shown(ONE_FLAG, ("failed",), (NODE, GO), DIRECT, _got("false")),
            Shown(ONE_FLAG, ("failed",), (PYTHON,), DIRECT, _got(NOTHING)),
            Shown(ONE_FLAG, ("failed",), SUBJECTS, PROXY, _got("value")),
        ),
    ),
    Finding(
        "**posthog-go says `false`, and no error, when the answer lacks the flag**: emptied, `{}` or over quota.",
        (Shown(ONE_FLAG, ("undefined-200", "empty-object", "quota-limited"), (GO,), DIRECT, _got("false")),),
    ),
    Finding(
        "**A 402 on definitions takes the flags from every application that evaluates locally; node stays empty after it is "
        "over**, until the definitions change (it keeps the `ETag`). A 401 takes them from python, an empty list from all "
        "three, `{}` from go. Behind a proxy that keeps definitions no application loses any.",
        (
            Shown(RUNNING, ("402",), (PYTHON, GO), DIRECT, _wiped(KEPT)),
            Shown(RUNNING, ("402",), (NODE,), DIRECT, _wiped(WIPED)),
            Shown(RUNNING, ("401",), (PYTHON,), DIRECT, _wiped(KEPT)),
            Shown(RUNNING, ("emptied",), SUBJECTS, DIRECT, _wiped(KEPT)),
            Shown(RUNNING, ("empty-object",), (GO,), DIRECT, _wiped(KEPT)),
            Shown(RUNNING, ("401", "402", "emptied", "empty-object"), SUBJECTS, PROXY, _got(KEPT)),
        ),
    ),
    Finding(
        "**Whoever starts while the service is a black hole waits 13 to 19 s for its first flag** and gets none, python and "
        "node again at every call; where definitions alone fail, both ask for them before every evaluation. Behind the proxy "
        "an application starts as ever.",
        (
            Shown(STARTING, ("silent",), (PYTHON, GO), DIRECT, _lost("12–17 s")),
            Shown(STARTING, ("silent",), (NODE,), DIRECT, _lost("≥ 18 s")),
            Shown(STARTING, ("500", "gateway-503"), (PYTHON, NODE), DIRECT, _took(4)),
            Shown(
                STARTING, ("silent", "500", "402"), SUBJECTS, PROXY, lambda cell: (cell.got, cell.lost) == ("value", AT_ONCE)
            ),
        ),
    ),
    Finding(
        "**What the proxy does not change**: `quotaLimited` is handed on (a billing decision), outdated content is believed, "
        "and so is the loss of fewer than five flags within a minute (kill switches look like that): an emptied answer does "
        "reach python and node applications that ask for one flag, and only from the fifth flag on is it held. A 401 or 402 "
        "reaches people whom it never saw.",
        (
            Shown(ONE_FLAG, ("quota-limited",), SUBJECTS, PROXY, _got(NOTHING, "false")),
            Shown(ONE_FLAG, ("outdated-200",), SUBJECTS, PROXY, _got("outdated value")),
            Shown(ONE_FLAG, ("undefined-200", "shrunk"), (PYTHON, NODE), PROXY, _got(NOTHING)),
            Shown(ONE_FLAG, ("undefined-200", "shrunk"), (GO,), PROXY, _got("value")),
            Shown(STRANGER_ONE, ("invalid-key", "402"), SUBJECTS, PROXY, _got(NOTHING, "error")),
        ),
    ),
)
