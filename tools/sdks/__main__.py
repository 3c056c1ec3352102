"""`python -m tools.sdks [NAME… | all]`: install the SDK lanes that are missing.

By default those that need no compiler, which is what `make test` runs; `all` adds Go, Rust and the JVM.

Exit code 0 when each is ready or, outside CI, skipped with its reason; 1 when one is unavailable and `CI=true`; 2 on a name
that does not exist.
"""

from __future__ import annotations

import sys

from .install import ensure, report, required_here
from .lanes import ALL, QUICK, ROOT
from .unavailable import Unavailable


def main(names: list[str]) -> int:
    """Install the named lanes one after the other."""
    if names == ["all"]:
        names = list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        report(f"unknown: {', '.join(unknown)}; there are all, {', '.join(ALL)}")
        return 2
    ready = [_install(name) for name in names or QUICK]
    return 0 if all(ready) or not required_here() else 1


def _install(name: str) -> bool:
    try:
        home = ensure(ALL[name])
    except Unavailable as reason:
        report(f"{name:24} {'FAILED' if required_here() else 'skipped'}: {reason}")
        return False
    report(f"{name:24} ready in {home.relative_to(ROOT)}")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
