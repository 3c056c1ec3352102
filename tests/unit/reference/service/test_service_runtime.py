"""Runtime detection, row by row of contract §5.2 point 3."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from reference.context import Runtime
from reference.request.runtime import runtime_of

SERVER = ["python", "ruby", "php", "java", "go", "node", "dotnet", "elixir", "rs", "server"]
CLIENT = ["js", "android", "ios", "react-native", "flutter"]


@pytest.mark.parametrize(
    ("agent", "runtime"),
    [
        *((f"posthog-{name}/1.2.3", Runtime.SERVER) for name in SERVER),
        *((f"posthog-{name}/1.2.3", Runtime.CLIENT) for name in CLIENT),
        ("Mozilla/5.0 (X11)", Runtime.CLIENT),
        ("Opera Chrome/1", Runtime.CLIENT),
        ("python-requests/2.32", Runtime.SERVER),
        ("curl/8.0", Runtime.SERVER),
        ("okhttp/4", None),
        ("posthog-python", None),
        ("", None),
    ],
)
def test_user_agent_gives_the_runtime_away(agent, runtime):
    assert runtime_of(None, CIMultiDict({"User-Agent": agent})) is runtime


@pytest.mark.parametrize("name", ["Origin", "Referer", "Sec-Fetch-Mode", "Sec-Fetch-Site"])
def test_browser_headers_mean_client_unless_the_agent_says_otherwise(name):
    assert runtime_of(None, CIMultiDict({name.lower(): "x"})) is Runtime.CLIENT
    assert runtime_of(None, CIMultiDict({name: "x", "User-Agent": "posthog-node/5"})) is Runtime.SERVER


@pytest.mark.parametrize(("word", "runtime"), [("server", Runtime.SERVER), ("Client", Runtime.CLIENT), ("x", Runtime.ALL)])
def test_what_the_body_says_comes_first(word, runtime):
    assert runtime_of(word, CIMultiDict({"User-Agent": "posthog-python/7"})) is runtime
