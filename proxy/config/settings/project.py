"""Projects, and how their flag definitions are kept."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .policy import Policy
from .section import Count, Name, PositiveSeconds, Ratio, Seconds, SecretSource, Section, Tokens

BOOT_PROJECT: Final = "{project}"
"""Stands in `DefinitionsStore.boot` for the name of a project."""


class Definitions(Section, frozen=True):
    """How one project's flag definitions are kept (docs/definitions.md).

    Attributes:
        key: Personal API key or project secret key that may read definitions; read again whenever it changes.
        poll_s: How often upstream is asked.
        timeout_s: Longest wait for one poll, body included.
        local_first: Answer from the definitions, without upstream, whenever every asked flag is conclusive.
        timezone: The project's time zone as PostHog has it, for dates written without one; None: such dates are inconclusive.
        shrink_ratio: A set that lacks more than this share of the flags held …
        shrink_flags: … and at least so many of them is refused.
        canary_ratio: A set that changes the values of more than this share of the flags held …
        canary_flags: … and of at least so many of them is held back …
        hold_polls: … for so many polls, then accepted.
    """

    key: SecretSource
    poll_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    timeout_s: PositiveSeconds = 10.0
    local_first: bool = False
    timezone: str | None = None
    shrink_ratio: Ratio = 0.3
    shrink_flags: Count = 5
    canary_ratio: Ratio = 0.3
    canary_flags: Count = 5
    hold_polls: Annotated[int, Meta(ge=0, le=100)] = 2


class Project(Section, frozen=True):
    """One PostHog project.

    Attributes:
        tokens: Public project tokens; a request with another token belongs to no project.
        upstream: Name of the upstream that serves it.
        policy: Overrides of the global policy, key by key; after loading always the whole effective policy.
        definitions: How its flag definitions are kept; None: they are not.
    """

    tokens: Tokens
    upstream: Name = "default"
    policy: Policy | None = None
    definitions: Definitions | None = None

    def __repr__(self) -> str:
        return f"Project(tokens=<{len(self.tokens)} redacted>, upstream={self.upstream!r})"


class DefinitionsStore(Section, frozen=True):
    """Where definitions, and the keys that upstream accepted for them, outlive the processes.

    Attributes:
        directory: Private folder (0700); None: inside the runtime folder, lost when the instance stops.
        generations: Accepted sets kept per project.
        boot: File or http(s) URL of a set, for a machine whose directory has none; `{project}` stands for the project's name.
        auth_revalidate_s: A key that upstream accepted is asked about again after this.
        auth_stale_s: How long a key that upstream accepted is believed while upstream cannot be asked.
        hmac_key: Key under which callers' keys are remembered; None: a random one, kept in the directory (0600).
    """

    directory: str | None = None
    generations: Annotated[int, Meta(ge=1, le=1000)] = 5
    boot: str | None = None
    auth_revalidate_s: PositiveSeconds = 300.0
    auth_stale_s: Seconds = 86_400.0
    hmac_key: SecretSource | None = None
