"""Writes the sources that mutants stand for: of each name on standard input the whole changed file, one folder a mutant.

`written.py FOLDER` prints one JSON line: name → [path of the file, path of its changed copy, the diff]. Runs inside the
workspace, as a process of its own, since mutmut takes its settings from the folder it is imported in.
"""

import json
import sys
from pathlib import Path


def write(name, target):
    """Write one mutant's file under the target folder; the workspace's own source is put back."""
    from mutmut.mutation.diff_apply import apply_mutant, find_mutant, get_diff_for_mutant

    path = Path(find_mutant(name).path)
    before = path.read_bytes()
    try:
        apply_mutant(name)
        changed = path.read_bytes()
    finally:
        path.write_bytes(before)
    target.mkdir(parents=True)
    (target / path.name).write_bytes(changed)
    return [str(path), str(target / path.name), get_diff_for_mutant(name)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    written = {name: write(name, folder / f"{number}") for number, name in enumerate(sys.stdin.read().split())}
    sys.stdout.write("\n" + json.dumps(written) + "\n")
