"""Who may talk to the admin face."""

from __future__ import annotations

import pytest

from proxy.admin.guard import host_of, refusal
from proxy.config.secret import Secret

TOKEN = Secret("right")
GOOD = {"Host": "127.0.0.1:8081", "Authorization": "Bearer right"}


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "[::1]:8081", "[::1]", "ops.internal:9"])
def test_our_own_names_are_served(host: str) -> None:
    assert refusal(GOOD | {"Host": host}, own_host="ops.internal", token=TOKEN) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8081", "127.0.0.1.evil.example", "[::2]:1", "[", "127.0.0.1:1:2"]
)
def test_a_rebound_name_is_refused(host: str) -> None:
    found = refusal(GOOD | {"Host": host}, own_host="127.0.0.1", token=TOKEN)
    assert found is not None
    assert found[0] == 421


@pytest.mark.parametrize("host", ["10.1.2.3:8081", "[fd00::7]:8081", "localhost"])
def test_on_every_address_of_the_machine_any_address_is_served(host: str) -> None:
    assert refusal(GOOD | {"Host": host}, own_host="0.0.0.0", token=TOKEN) is None


@pytest.mark.parametrize("host", ["evil.example:8081", "10.1.2.3.evil.example", "", "10.1.2", "[fd00::7"])
def test_on_every_address_of_the_machine_names_are_still_refused(host: str) -> None:
    found = refusal(GOOD | {"Host": host}, own_host="::", token=TOKEN)
    assert found is not None
    assert found[0] == 421


def test_a_listener_on_an_ipv6_address_is_served_under_it() -> None:
    assert refusal(GOOD | {"Host": "[fd00::7]:8081"}, own_host="fd00::7", token=TOKEN) is None


def test_a_web_page_is_refused_even_with_the_token() -> None:
    found = refusal(GOOD | {"Origin": "http://127.0.0.1:8081"}, own_host="127.0.0.1", token=TOKEN)
    assert found is not None
    assert found[0] == 403


@pytest.mark.parametrize("authorization", ["", "right", "Bearer", "Bearer ", "Bearer wrong", "Basic right", "Bearer right "])
def test_a_wrong_token_is_refused(authorization: str) -> None:
    found = refusal(GOOD | {"Authorization": authorization}, own_host="127.0.0.1", token=TOKEN)
    assert found is not None
    assert found[0] == 401


def test_the_scheme_is_read_in_any_case() -> None:
    assert refusal(GOOD | {"Authorization": "bearer right"}, own_host="127.0.0.1", token=TOKEN) is None


def test_without_a_configured_token_none_is_asked_for() -> None:
    assert refusal({"Host": "localhost"}, own_host="127.0.0.1", token=None) is None


@pytest.mark.parametrize(("header", "host"), [("a:1", "a"), ("A", "a"), ("[::1]:1", "[::1]"), ("", "")])
def test_the_host_is_what_stands_before_the_port(header: str, host: str) -> None:
    assert host_of(header) == host
