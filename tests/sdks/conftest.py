"""SDK lanes on demand (installed once, skipped with the reason where they cannot be had), and the stack they talk to."""

from contextlib import ExitStack

import pytest

from tests.sdks.support import world
from tests.sdks.support.driver import Driver
from tests.sdks.support.keeping import Keeping
from tests.sdks.support.stack import Proxy, Service
from tests.sdks.support.tap import Tap
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL
from tools.sdks.unavailable import Unavailable


class Stack:
    """Service, proxy and a tap in front of the proxy; closing it ends them, the proxy in good order."""

    def __init__(self, folder):
        self.definitions = folder / "definitions.json"
        world.write(self.definitions, "before")
        with ExitStack() as started:
            self.service = Service(self.definitions)
            started.callback(self.service.kill)
            self.proxy = Proxy(self.service.url, folder)
            started.callback(self._drain)
            self.tap = Tap(self.proxy.url)
            started.callback(self.tap.close)
            self.close = started.pop_all().close

    def _drain(self):
        assert self.proxy.stop() == 0


@pytest.fixture
def stack(tmp_path):
    """A stack of the test's own, to break."""
    stack = Stack(tmp_path)
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A stack that all tests share and none breaks."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.close()


@pytest.fixture
def keep(tmp_path):
    """Return a function that sets up a service, and a proxy that keeps its definitions."""
    keeping = []

    def start(**options):
        keeping.append(Keeping(tmp_path, **options))
        return keeping[-1]

    yield start
    for each in keeping:
        each.close()


@pytest.fixture(scope="session")
def installed():
    """Return a function that makes sure of a lane, or skips with the reason why it cannot be had."""

    def make_sure(lane_name):
        try:
            ensure(ALL[lane_name])
        except Unavailable as reason:
            pytest.skip(f"{lane_name}: {reason}")

    return make_sure


@pytest.fixture
def application(installed):
    """Return a function that starts an application with the SDK in it."""
    drivers = []

    def start(lane_name):
        installed(lane_name)
        drivers.append(Driver(lane_name))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.close()
