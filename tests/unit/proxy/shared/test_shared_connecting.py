"""From settings to a client: what it would connect to, with what, and that it asks for its password each time."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis as Client
from redis.asyncio import RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import AuthenticationError

from proxy.config.redis_checks import split_address
from proxy.config.settings import Redis, SecretSource
from proxy.shared.connecting import Credentials, connect

ENVIRON = {"PASSWORD": "canary"}


def made(**settings: Any) -> Any:
    return connect(Redis(**settings), ENVIRON)


async def test_one_server_is_met_where_it_is_and_never_asked_twice_by_the_client() -> None:
    client = made(addresses=("[::1]:7000",), database=3)
    assert isinstance(client, Client)
    kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["host"], kwargs["port"], kwargs["db"]) == ("::1", 7000, 3)
    assert kwargs["retry"].get_retries() == 0


async def test_with_sentinels_the_master_is_looked_for_by_its_name() -> None:
    client = made(
        addresses=("a:1", "b:2"), mode="sentinel", sentinel_name="main", password=SecretSource(env="PASSWORD"), username="u"
    )
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "main"
    sentinels = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in sentinels] == [("a", 1), ("b", 2)]
    assert all(each.get("credential_provider") is None for each in sentinels)  # the master's password is not theirs
    assert pool.connection_kwargs["credential_provider"].get_credentials() == ("u", "canary")


async def test_a_cluster_is_entered_through_any_of_its_nodes() -> None:
    client = made(addresses=("a:1", "b:2"), mode="cluster")
    assert isinstance(client, RedisCluster)
    assert {(node.host, node.port) for node in client.nodes_manager.startup_nodes.values()} == {("a", 1), ("b", 2)}


async def test_encryption_verifies_certificates() -> None:
    pool = made(addresses=("a:1",), tls=True).connection_pool
    connection = pool.make_connection()
    assert connection.ssl_context.cert_reqs.name == "CERT_REQUIRED"
    assert connection.ssl_context.check_hostname


async def test_a_password_is_read_again_for_every_connection_and_the_last_good_one_stays() -> None:
    environ = {"PASSWORD": "one"}
    credentials = Credentials(None, SecretSource(env="PASSWORD"), environ)
    assert await credentials.get_credentials_async() == ("one",)
    environ["PASSWORD"] = "two"
    assert credentials.get_credentials() == ("two",)
    environ.clear()
    assert credentials.get_credentials() == ("two",)
    with pytest.raises(AuthenticationError):
        Credentials("u", SecretSource(env="PASSWORD"), environ).get_credentials()


ADDRESSES = [
    ("redis:6379", ("redis", 6379)),
    ("[fd00::1]:1", ("fd00::1", 1)),
    ("10.0.0.1:65535", ("10.0.0.1", 65_535)),
    ("redis", None),
    (":1", None),
    ("redis:", None),
    ("redis:70000", None),
    ("a b:1", None),
    ("redis:1?x", None),
    ("redis:1#x", None),
    ("[::1:1", None),
    ("", None),
]


@pytest.mark.parametrize(("address", "found"), ADDRESSES)
def test_an_address_is_a_host_and_a_port_and_nothing_else(address: str, found: tuple[str, int] | None) -> None:
    assert split_address(address) == found
