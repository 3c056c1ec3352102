"""What a caller's SDK makes of a flag that is missing from an answer with `errorsWhileComputingFlags` (sdks.md §1.5, §1.8).

| SDK                                                   | a missing flag is                   | so what cannot be filled is |
|-------------------------------------------------------|-------------------------------------|-----------------------------|
| python, node, ruby, php                               | nothing: the caller's own default   | left out                    |
| browsers, android, ios, react-native, flutter         | what they knew before: they merge   | left out                    |
| go, rs                                                | **false**, without any error        | a fast 503, if it was named |
| dotnet, java, elixir and whoever does not say         | not known                           | as for go                   |

A 503 is final for all of them. It is given only where the request names the flag: who asks for all of a project would lose the
good ones over one flag that may be broken for ever.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from proxy.answer.request import FlagsRequest

FORGIVING: Final = tuple(
    f"posthog-{name}/" for name in ("python", "node", "ruby", "php", "js", "android", "ios", "react-native", "flutter")
)
"""How User-Agents of SDKs begin to which a missing flag is not false."""
BROWSERS: Final = "Mozilla/"


def is_forgiving(request: FlagsRequest) -> bool:
    """Tell whether a missing flag is something else than false to the caller."""
    agent = next((value for name, value in request.headers if name.lower() == "user-agent"), "")
    return agent.startswith((*FORGIVING, BROWSERS))


def would_mislead(request: FlagsRequest, missing: Collection[str]) -> bool:
    """Tell whether an answer without these flags would say of a flag named in the request that it is false."""
    return request.asked is not None and not is_forgiving(request) and not set(request.asked).isdisjoint(missing)
