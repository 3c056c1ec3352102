"""A proxy that keeps definitions, between a service that can fail and the SDKs: what the tests of local evaluation stand on."""

import json
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from . import world
from .stack import Proxy
from .tap import Tap
from .upstream import Upstream

PROXY_KEY = "phx_of_the_proxy"
PROJECT = """
[admin]
port = 0
[projects.shop]
tokens = ["{token}"]
[projects.shop.definitions]
key = {{env = "KEY_OF_THE_PROXY"}}
poll_s = {poll_s}
local_first = {local_first}
hold_polls = 100
[definitions]
directory = "{directory}"
auth_revalidate_s = {revalidate_s}
"""


class Keeping:
    """Service, tap, proxy; the directory outlives each of the proxy's lives.

    `poll_s` and `revalidate_s` are the proxy's; `keys` are further ones that the service knows.
    """

    def __init__(self, folder: Path, *, poll_s=1.0, revalidate_s=1.0, local_first=False, keys=()):
        self.folder = folder
        self.directory = folder / "kept"
        self.document = world.definitions("before")
        self.document["service"]["personal_keys"].update({key: {} for key in (PROXY_KEY, *keys)})
        self._file = folder / "definitions.json"
        self._more = PROJECT.format(
            token=world.TOKEN,
            poll_s=poll_s,
            revalidate_s=revalidate_s,
            local_first=str(local_first).lower(),
            directory=self.directory,
        )
        self._stack = ExitStack()
        self.publish()
        self.upstream = Upstream(self._file)
        self._stack.callback(self.upstream.stop)

    def publish(self):
        """Make `document` the service's truth: it looks at the file by itself."""
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self.document))
        beside.replace(self._file)

    def start_proxy(self):
        """Start the proxy, and a tap in front of it."""
        self.proxy = Proxy(self.upstream.url, self.folder, more=self._more, secrets={"KEY_OF_THE_PROXY": PROXY_KEY})
        self._stack.callback(self.proxy.stop)
        self.tap = Tap(self.proxy.url)
        self._stack.callback(self.tap.close)

    def stop_proxy(self):
        """Stop it in good order; what it keeps on disk stays."""
        assert self.proxy.stop() == 0

    def standing(self):
        """How the proxy's definitions stand, as an operator sees it."""
        with urllib.request.urlopen(f"{self.proxy.admin}/definitions", timeout=30) as answer:
            return json.load(answer)["shop"]

    def snapshots(self):
        """The sets on disk."""
        return sorted(self.directory.glob("shop/set-*"))

    def accepted_keys(self):
        """Whether the proxy has written down which keys upstream accepted."""
        return (self.directory / "keys.hfk").exists()

    def polls_of(self, agent):
        """The exchanges of one SDK's polls for definitions so far."""
        polls = self.tap.exchanges("/flags/definitions")
        return [poll for poll in polls if poll.request.headers["user-agent"].startswith(agent)]

    def close(self):
        self._stack.close()
