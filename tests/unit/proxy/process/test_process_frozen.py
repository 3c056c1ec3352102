"""What cannot change at run time is refused by name."""

from __future__ import annotations

import msgspec

from proxy.config.settings import (
    Admin,
    DefinitionsStore,
    Listen,
    Memory,
    Policy,
    Process,
    Redis,
    SecretSource,
    Settings,
    Store,
    Upstream,
)
from proxy.process.supervisor.reload import FIXED, frozen_changes

SETTINGS = Settings(upstreams={"default": Upstream(url="https://flags.example")})


def test_sockets_and_processes_need_a_restart() -> None:
    other = msgspec.structs.replace(
        SETTINGS,
        listen=Listen(host="0.0.0.0", port=9),
        admin=Admin(host="::1", port=8),
        process=Process(workers=3, runtime_dir="/run/x"),
        definitions=DefinitionsStore(directory="/var/x", hmac_key=SecretSource(env="K")),
        store=Store(enabled=False, directory="/var/x", hmac_key=SecretSource(env="K"), previous_hmac_key=SecretSource(env="L")),
        redis=Redis(addresses=("redis:6379",)),
    )
    said = frozen_changes(SETTINGS, other)
    assert [line.partition(":")[0] for line in said] == [f"$.{path}" for path in FIXED]


def test_everything_else_may_change() -> None:
    other = msgspec.structs.replace(
        SETTINGS,
        upstreams={"eu": Upstream(url="https://other.example")},
        policy=Policy(fresh_s=3),
        memory=Memory(max_bytes=1),
        definitions=DefinitionsStore(generations=9, boot="/x", auth_revalidate_s=1, auth_stale_s=1),
        process=Process(drain_s=1, unready_s=3, restart_backoff_s=1, unresponsive_s=9),
        trusted_proxies=("10.0.0.0/8",),
    )
    assert frozen_changes(SETTINGS, other) == ()
