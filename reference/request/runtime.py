"""Where the caller runs, told from the body or the headers as the service tells it (contract §5.2, point 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reference.context import Runtime

SERVER_AGENTS: Final = tuple(
    f"posthog-{name}/" for name in ("python", "ruby", "php", "java", "go", "node", "dotnet", "elixir", "rs", "server")
)
CLIENT_AGENTS: Final = tuple(f"posthog-{name}/" for name in ("js", "android", "ios", "react-native", "flutter"))
BROWSERS: Final = ("Mozilla/", "Chrome/", "Safari/", "Firefox/", "Edge/")
TOOLS: Final = ("python-requests/", "curl/")
BROWSER_HEADERS: Final = ("Origin", "Referer", "Sec-Fetch-Mode", "Sec-Fetch-Site")


def runtime_of(explicit: str | None, headers: Mapping[str, str]) -> Runtime | None:
    """Tell the runtime of a request; None when nothing gives it away.

    Args:
        explicit: `evaluation_runtime` of the body; an unknown word counts as `all`.
        headers: Request headers, looked up without regard to case.
    """
    if explicit is not None:
        word = explicit.lower()
        return Runtime(word) if word in set(Runtime) else Runtime.ALL
    agent = headers.get("User-Agent", "")
    named = _runtime_of_agent(agent)
    if named is None and any(name in headers for name in BROWSER_HEADERS):
        return Runtime.CLIENT
    return named


def _runtime_of_agent(agent: str) -> Runtime | None:
    if agent.startswith(SERVER_AGENTS):
        return Runtime.SERVER
    if agent.startswith(CLIENT_AGENTS) or any(mark in agent for mark in BROWSERS):
        return Runtime.CLIENT
    return Runtime.SERVER if any(mark in agent for mark in TOOLS) else None
