"""Draw random mutants of the evaluator, let the unit tests judge them, and search for those that they kill.

`python -m tests.random_mutants [--mutants 200] [--seed 12] [--seconds 20] [--minutes 20] [--again] [--write]`. Exit 1 below
90 % found, or when the time was not enough to judge as many mutants as asked for. What was not found stands in
`.lanes/mutants/missed.diff` afterwards. `--again` takes the mutants judged last time and searches only for those not found
then, with today's search.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from harness.subjects.catalogue import find
from harness.subjects.child import Child
from tests.bench import page
from tests.mutation.__main__ import HERE, inside, run
from tests.mutation.workspace import ROOT, prepare

from .sought import Mutant, Sought, drawn, killed, sought, written

MARK = 0.90
HOME = ROOT / ".lanes" / "mutants"
SPARE = 1.2
"""One mutant in twenty survives the unit tests; somewhat more are judged than are searched for."""
PAGE = ROOT / "docs" / "sensitivity.md"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.random_mutants", description=__doc__)
    parser.add_argument("--mutants", type=int, default=200, help="how many to search for (default 200)")
    parser.add_argument("--seed", type=int, default=12, help="seed of both draws (default 12)")
    parser.add_argument("--seconds", type=float, default=20, help="longest search for one (default 20)")
    parser.add_argument("--minutes", type=float, default=20, help="for the unit tests' judgement (default 20)")
    parser.add_argument("--again", action="store_true", help="search only for what was not found last time")
    parser.add_argument("--write", action="store_true", help="put the table into docs/sensitivity.md")
    options = parser.parse_args()
    if not options.again:
        judge(HOME, options)
    names = drawn(killed(HOME), options.mutants, options.seed)
    record = HOME / "sought.json"
    before = {one[0]: Sought(*one) for one in json.loads(record.read_text())} if options.again and record.exists() else {}
    mutants = written(HOME, names)
    results = asyncio.run(search(mutants, {name: one for name, one in before.items() if one.theme}, options.seconds, record))
    (HOME / "missed.diff").write_text(
        "\n\n".join(f"# {one.name}\n{one.diff}" for one in mutants if not results[one.name].theme)
    )
    text = report(mutants, results, options)
    print(text)
    if options.write:
        page.write("mutants", text, target=PAGE)
    found = sum(one.theme is not None for one in results.values())
    return 0 if len(mutants) == options.mutants and found >= MARK * len(mutants) else 1


def judge(home, options):
    """Make the mutants anew and let the unit tests judge a sample."""
    prepare(home)
    size = round(options.mutants * SPARE)
    print(inside(home, HERE / "sample.py", str(size), str(options.seed)).splitlines()[-1], flush=True)
    run(home, options.minutes * 60)


async def search(mutants, known, seconds, record):
    """Search for each mutant that is not known to be found; what was learnt is on disk after each."""
    results = dict(known)
    async with Child(find("reference", ROOT)) as base:
        for mutant in mutants:
            if mutant.name not in results:
                results[mutant.name] = await sought(HOME, mutant, base, seconds)
                if results[mutant.name].theme is None:
                    print(f"not found: {mutant.name}", flush=True)
                record.write_text(json.dumps(list(results.values())))
    return results


def report(mutants, results, options):
    """Return a table by room, and how soon they were found."""
    rooms = {room: [one for one in mutants if room_of(one) == room] for room in sorted({room_of(one) for one in mutants})}
    rows = [(room, *counted(members, results)) for room, members in rooms.items()]
    found = sorted(one.seconds for one in results.values() if one.theme)
    kinds = Counter(one.kind for one in results.values() if one.theme).most_common()
    soon = f"half of them within {found[len(found) // 2]:.1f} s, nine in ten within {found[len(found) * 9 // 10]:.1f} s"
    by_kind = ", ".join(f"{kind} ({count})" for kind, count in kinds)
    return "\n".join([
        f"{len(mutants)} mutants that the unit tests kill, drawn with seed {options.seed}; at most {options.seconds:g} s each.",
        "",
        page.table(("room", "mutants", "found", "not found"), [*rows, ("all", *counted(mutants, results))]),
        "",
        f"{len(found) / len(mutants):.1%} found, {soon}; by {by_kind}.",
    ])  # fmt: skip


def counted(members, results):
    found = sum(results[one.name].theme is not None for one in members)
    return f"{len(members)}", f"{found}", f"{len(members) - found}"


def room_of(mutant: Mutant):
    parts = Path(mutant.path).parts
    return "/".join(parts[:3]) if len(parts) > 3 else "/".join(parts)


if __name__ == "__main__":
    sys.exit(main())
