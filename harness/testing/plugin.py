"""The pytest plugin: options, the `flags_harness` fixture, and the tests that the options add.

pytest imports this module in every run of an environment where Holdfast is installed, so it imports nothing but pytest; the
harness is imported when a test asks for the fixture, or when one of the two switches is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from .checks import FlagsHarness
    from .replay import Replay

MARK: Final = "holdfast"
LEVELS: Final = ("plausible", "hostile")
REPLAY: Final[pytest.StashKey[Replay]] = pytest.StashKey()
"""Where a run keeps the subjects that its replay tests share."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; all have the group's prefix."""
    add = parser.getgroup("holdfast", "flag consistency (Holdfast)").addoption
    add("--holdfast", action="store_true", help="add a test: no divergence of the subjects that is not known")
    add("--holdfast-corpus", action="store_true", help="add a test for every kept reproducer and subject")
    add(
        "--holdfast-subjects",
        default="",
        metavar="BASE,OTHER[,…]",
        help="as in flags-harness run: reference,posthog-python@VERSION",
    )
    add("--holdfast-seconds", type=float, default=30.0, metavar="S", help="how long to search (default 30)")
    add("--holdfast-batches", type=int, metavar="N", help="stop after N batches: the same questions on every machine")
    add("--holdfast-seed", type=int, default=1, metavar="N", help="the same seed asks the same questions (default 1)")
    add("--holdfast-level", choices=LEVELS, default=LEVELS[0], help="what to generate (default plausible)")
    add("--holdfast-zone", default="UTC", help="host time zone of all subjects (default UTC)")
    add("--holdfast-known", type=Path, metavar="FILE|FOLDER", help="known divergences (default: those Holdfast keeps)")
    add("--holdfast-corpus-folder", type=Path, metavar="FOLDER", help="reproducers (default: those Holdfast keeps)")
    add("--holdfast-lanes", type=Path, default=Path(".lanes"), metavar="FOLDER", help="where the SDKs are (default .lanes)")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and refuse switches without subjects."""
    config.addinivalue_line("markers", f"{MARK}: added by --holdfast or --holdfast-corpus")
    if _is_asked(config) and len(option(config, "holdfast_subjects").split(",")) < 2:  # noqa: PLR2004 — a comparison needs two
        raise pytest.UsageError("--holdfast and --holdfast-corpus need --holdfast-subjects BASE,OTHER[,…]")


@pytest.hookimpl(tryfirst=True)  # Before -k and -m choose among the tests.
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the tests that the switches ask for."""
    if not _is_asked(session.config):
        return
    from .items import added  # noqa: PLC0415 — not before it is asked for

    items.extend(added(session))


def option(config: pytest.Config, name: str) -> Any:
    """Return an option's value; all of ours have a default."""
    return config.getoption(name)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the subjects that replay tests shared."""
    replay = config.stash.get(REPLAY, None)
    if replay is not None:
        replay.close()


@pytest.fixture
def flags_harness(request: pytest.FixtureRequest) -> FlagsHarness:
    """Compare SDKs and servers: `flags_harness.agree("reference", "posthog-python@7.91.1", seconds=30)`."""
    from .checks import FlagsHarness  # noqa: PLC0415 — not before it is asked for

    return FlagsHarness(request.node)


def _is_asked(config: pytest.Config) -> bool:
    return bool(option(config, "holdfast") or option(config, "holdfast_corpus"))
