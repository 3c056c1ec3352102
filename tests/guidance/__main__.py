"""Compare ways to choose the next batch: how many causes of disagreement each meets in the same time.

`python -m tests.guidance [--seconds 45] [--seeds 3] [--write]`. No marks: a measurement behind a decision.
"""

import argparse
import sys

from tests.bench import page
from tests.mutation.workspace import ROOT

from .ways import SUBJECTS, WAYS, compared

COLUMNS = ("next batch", "seed", "divergences on file", "the 40th after s", "other rough causes", "batches", "pairs")
PAGE = ROOT / "docs" / "harness.md"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.guidance", description=__doc__)
    parser.add_argument("--seconds", type=float, default=45, help="for each search (default 45)")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each way (default 3)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/harness.md")
    options = parser.parse_args()
    rows = []
    for seed in range(1, options.seeds + 1):
        for way in WAYS:
            met = compared(way, seed, options.seconds)
            rows.append((way, f"{seed}", f"{met.on_file}", fortieth(met), f"{met.others}", f"{met.batches}", f"{met.pairs}"))
            print(rows[-1], flush=True)
    text = "\n".join([
        f"{', '.join(SUBJECTS)}; {options.seconds:g} s each, nothing shrunk.",
        "",
        page.table(COLUMNS, sorted(rows)),
    ])  # fmt: skip
    print(text)
    if options.write:
        page.write("guidance", text, target=PAGE)
    return 0


def fortieth(met):
    return "–" if met.fortieth_s is None else f"{met.fortieth_s:.0f}"


if __name__ == "__main__":
    sys.exit(main())
