"""Which callers a missing flag would mislead, by what they say they are."""

from __future__ import annotations

import pytest

from proxy.answer.partial.clients import is_forgiving, would_mislead
from tests.fakes.requests import flags_request


@pytest.mark.parametrize(
    ("agent", "forgiving"),
    [
        ("posthog-python/7.91.1", True),
        ("posthog-node/5.70.0", True),
        ("posthog-ruby/3.0.0", True),
        ("posthog-php/3.0.0", True),
        ("posthog-js/1.300.0", True),
        ("posthog-ios/3.0.0", True),
        ("Mozilla/5.0 (X11; Linux x86_64)", True),
        ("posthog-go/1.6.0", False),
        ("posthog-rs/0.4.0", False),
        ("posthog-dotnet/2.0.0", False),
        ("posthog-java/1.0.0", False),
        ("posthog-elixir/2.14.1", False),
        ("curl/8.0", False),
        ("not posthog-python/7.91.1", False),
        ("", False),
    ],
)
def test_the_table_of_clients(agent: str, forgiving: bool) -> None:
    request = flags_request(headers=(("Content-Type", "application/json"), ("user-agent", agent)), asked=("a", "b"))
    assert is_forgiving(request) is forgiving
    assert would_mislead(request, {"b"}) is not forgiving


def test_a_caller_that_does_not_say_what_it_is_may_take_a_missing_flag_for_false() -> None:
    assert not is_forgiving(flags_request())


@pytest.mark.parametrize(("asked", "missing", "misled"), [(("a",), {"b"}, False), (("a",), set(), False), (None, {"b"}, False)])
def test_only_a_flag_that_was_named_can_mislead(asked: tuple[str, ...] | None, missing: set[str], misled: bool) -> None:
    assert would_mislead(flags_request(asked=asked), missing) is misled
