"""Create the virtual environment and install the locked dependencies.

Runs on a bare Python (standard library only). Idempotent: `make` calls it again only when the lock or the project file
changed, and pip then installs only what differs.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)


def main() -> int:
    """Set up the environment named by the first argument; exit 2 with a clear message on a too old Python."""
    if sys.version_info < MINIMUM:
        print(f"Holdfast needs Python {MINIMUM[0]}.{MINIMUM[1]} or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        print("Name another one: make PYTHON=python3.12 …", file=sys.stderr)
        return 2
    target = ROOT / sys.argv[1]
    if not (target / "bin" / "python").exists():
        print(f"Creating {target.name} …", flush=True)
        venv.EnvBuilder(with_pip=True, clear=target.exists()).create(target)
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    print("Installing locked dependencies …", flush=True)
    subprocess.run([*pip, "install", "--require-hashes", "-r", "requirements/dev.lock"], cwd=ROOT, check=True)
    subprocess.run([*pip, "install", "--no-build-isolation", "--no-deps", "-e", "."], cwd=ROOT, check=True)
    (target / ".ready").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
