"""How many planted faults `flags-harness check` finds in a project of every kind of flag, within its usual thousand requests.

`python -m tests.sensitivity.live [--only NAME] [--requests 1000]`. Prints a table; exit 1 when the unspoilt copy is not alike.
A check cannot write definitions: a fault that no flag of the project meets is out of its reach.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from harness.check.asking.budget import Budget
from harness.check.asking.server import Server
from harness.check.session import Options, Session
from harness.search.pools import Level
from harness.search.write import THEMES, batch
from tests.sensitivity.planted import FAULTS, ROOT

TOKEN, KEY = "phc_live", "phx_live"
PER_THEME = {"switch": 24}
USUALLY = 6
STARTER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; "
    "runpy.run_module('reference.service', run_name='__main__', alter_sys=True)"
)


def project():
    """Return a project with some flags of every theme."""
    flags, cohorts = [], {}
    for theme in THEMES:
        case = batch(theme, Level.PLAUSIBLE, "live")
        key = {flag["key"]: f"{theme.replace(' ', '-')}-{flag['key']}" for flag in case.definitions["flags"]}
        text = json.dumps(case.definitions["flags"][: PER_THEME.get(theme, USUALLY)])
        for old, new in key.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        flags += json.loads(text)
        cohorts |= case.definitions["cohorts"]
    numbered = [{**flag, "id": number} for number, flag in enumerate(flags, 1)]
    service = {"tokens": [TOKEN], "personal_keys": {KEY: {}}}
    return {
        "flags": numbered,
        "cohorts": cohorts,
        "group_type_mapping": case.definitions["group_type_mapping"],
        "service": service,
    }


async def checked(url, requests):
    """Check a server; return the session and what it cost."""
    budget = Budget(requests, 1000)
    async with Server(url, token=TOKEN, key=KEY, budget=budget) as server:
        session = Session(server, Options(), [], lambda: datetime.now(UTC))
        await session.run()
    return session, budget.spent


def planted(fault, requests):
    """Check a service on a copy of the reference with one fault (None: without)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "reference", folder / "reference", ignore=shutil.ignore_patterns("__pycache__"))
        if fault is not None:
            file = folder / "reference" / fault.file
            file.write_text(file.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")
        (folder / "definitions.json").write_text(json.dumps(project()))
        command = [sys.executable, "-c", STARTER, name, "--definitions", str(folder / "definitions.json"), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as service:
            try:
                return asyncio.run(checked(service.stdout.readline().split()[-1], requests))
            finally:
                service.terminate()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.sensitivity.live", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="of each check (default 1000)")
    parser.add_argument("--only", help="only faults whose name contains this")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.only or options.only in fault.name]
    print("| fault | causes | requests | the first explained |\n|---|--:|--:|---|")
    seen = 0
    for fault in chosen:
        session, spent = planted(fault, options.requests)
        seen += bool(session.findings)
        told = next((finding.detail for finding in session.findings.values()), session.stopped or "**not found**")
        print(f"| {fault.name} | {len(session.findings)} | {spent} | {told} |", flush=True)
    session, _ = planted(None, options.requests)
    alike = not session.findings and session.stopped is None
    pairs = session.ledger.tally.pairs
    print(f"\n{seen} of {len(chosen)} found; the unspoilt copy: {'alike' if alike else 'not alike'}, {pairs} pairs")
    return 0 if alike else 1


if __name__ == "__main__":
    sys.exit(main())
