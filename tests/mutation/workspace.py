"""The place where mutants live: a copy of the evaluator and its fast tests, with mutmut's settings, under `.lanes/mutation`.

mutmut writes its mutants beside the sources it is pointed at and reads its settings from `pyproject.toml` there. A copy
keeps both out of the tree, and a run keeps its sources still while the tree is being edited.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".lanes" / "mutation"
ROOMS = ("reference/evaluate.py", "reference/matching/*", "reference/rules_v1/*", "reference/definitions/graph.py")
"""What decides a flag. The HTTP face, the line protocol and the records are other tests' affair."""
TESTS = ("tests/unit/reference", "tests/conformance")
ELSEWHERE = ("tests/unit/reference/response", "tests/unit/reference/service", "tests/conformance/test_legacy_projection.py")
"""Tests of other rooms: they would only be collected again for every mutant."""
COPIED = ("reference", "tests/unit/reference", "tests/conformance", "tests/conftest.py")
PLUGIN = Path(__file__).with_name("quick_first.py")
BESIDE = ROOT.parent / "shared"


def prepare(home: Path = HOME) -> Path:
    """Make a workspace anew and return it."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in COPIED:
        _copy(ROOT / name, home / name)
    _copy(PLUGIN, home / PLUGIN.name)
    settings = (ROOT / "pyproject.toml").read_text()
    (home / "pyproject.toml").write_text(f"{settings}\n{_mutmut_table()}")
    if BESIDE.is_dir():
        # Golden cases are looked for beside the repository; the mutated copy of it is `mutants/` in here.
        (home / "shared").symlink_to(BESIDE)
    return home


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def _mutmut_table() -> str:
    table = {
        "source_paths": ["reference"],
        "only_mutate": list(ROOMS),
        "also_copy": [PLUGIN.name],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:warnings", "-p", PLUGIN.stem],
        "pytest_add_cli_args_test_selection": [*TESTS, *(f"--ignore={path}" for path in ELSEWHERE)],
        # Forked from a process that has only collected: nothing that a test remembered leaks into a mutant's run.
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
        "timeout_constant": 5.0,
        "timeout_multiplier": 5.0,
    }
    return "[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
