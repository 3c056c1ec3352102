"""Every fault of a configuration has its place, its reason, and whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.load import Loaded, load
from proxy.config.problem import Problems

UPSTREAM = '[upstreams.default]\nurl = "https://flags.example"\n'
PROJECT = '[projects.a]\ntokens = ["t"]\n'
KEPT = PROJECT + "[projects.a.definitions]\n"
KEY = "key = {file = '/dev/null'}\n"
REDIS = UPSTREAM + "[redis]\nsecret = {env = 'SHARED'}\naddresses = "
ALSO = "{key = {file = '/dev/null'}}"

FAULTS = [
    # text of the file, the line that must be among those said
    ("[listen]\nprot = 1", "$.listen.prot: unknown key; did you mean port?  (c.toml:2)"),
    ("surprise = 1", "$.surprise: unknown key; known here: upstreams, "),
    ("[listen]\nport = 70000", "$.listen.port: expected `int` <= 65535  (c.toml:2)"),
    ("[listen]\nport = true", "$.listen.port: expected `int`, got `bool`  (c.toml:2)"),
    ("listen = 3", "$.listen: expected a table  (c.toml:1)"),
    ("[log]\nlevel = 'loud'", "$.log.level: expected `str` matching regex"),
    ("trusted_proxies = ['10.0.0.0/8', 7]", "$.trusted_proxies[1]: expected `str`, got `int`  (c.toml:1)"),
    ("[limits]\nkeepalive_s = 5", "$.limits.keepalive_s: expected `float` >= 75.0  (c.toml:2)"),
    (UPSTREAM + "[projects.A]\ntokens = ['t']", "$.projects.A: expected `str` matching regex"),
    (UPSTREAM + "[projects.a]\nupstream = 'default'", "$.projects.a.tokens: required, but missing  (c.toml:3)"),
    (UPSTREAM + PROJECT + "policy = {deadline_s = 3}", "$.projects.a.policy.deadline_s: expected `float` <= 2.8"),
    ("", "$.upstreams: required, but missing  (c.toml)"),
    ("[upstreams.b]\nurl = 'https://b'", "$.upstreams: without projects every request goes to the upstream named default"),
    ("[upstreams.default]\nurl = 'ftp://x'", "$.upstreams.default.url: must start with http:// or https://  (c.toml:2)"),
    ("[upstreams.default]\nurl = 'https://u:p@x'", "$.upstreams.default.url: must not carry credentials"),
    ("[upstreams.default]\nurl = 'https://x/?a=b'", "$.upstreams.default.url: must not carry a query or a fragment"),
    ("[upstreams.default]\nurl = 'https://x?'", "$.upstreams.default.url: must not carry a query or a fragment"),
    ("[upstreams.default]\nurl = 'https://'", "$.upstreams.default.url: names no host"),
    ("[upstreams.default]\nurl = 'https://x:0'", "$.upstreams.default.url: has an impossible port"),
    ("[upstreams.default]\nurl = 'https://x:99999'", "$.upstreams.default.url: not a URL"),
    ("[upstreams.default]\nurl = 'https://x/a b'", "$.upstreams.default.url: must not contain spaces"),
    (UPSTREAM + "assets_url = 'x'", "$.upstreams.default.assets_url: must start with http:// or https://  (c.toml:3)"),
    (UPSTREAM + "ca_file = '/absent.pem'", "$.upstreams.default.ca_file: cannot be read: No such file or directory"),
    ("[upstreams.default]\nurl = 'http://localhost:8080'", "$.upstreams.default.url: this is the proxy's own listen address"),
    ("[listen]\nhost='0.0.0.0'\nport=81\n[upstreams.default]\nurl = 'http://127.0.0.1:81'", "own listen address"),
    ("[listen]\nhost='::1'\nport=80\n[upstreams.default]\nurl = 'http://localhost'", "own listen address"),
    (UPSTREAM + "[projects.a]\ntokens = []", "$.projects.a.tokens: a project needs at least one token  (c.toml:4)"),
    (UPSTREAM + "[projects.a]\ntokens = ['']", "$.projects.a.tokens[0]: an empty token"),
    (
        UPSTREAM + PROJECT + "[projects.b]\ntokens = ['u', 't']",
        "$.projects.b.tokens[1]: this token already belongs to project a  (c.toml:6)",
    ),
    (UPSTREAM + PROJECT + "upstream = 'eu'", "$.projects.a.upstream: no upstream is named eu; there are: default  (c.toml:5)"),
    (UPSTREAM + "[passthrough]\nupstream = 'eu'", "$.passthrough.upstream: no upstream is named eu"),
    ("trusted_proxies = ['10.0.0.1/8']\n" + UPSTREAM, "$.trusted_proxies[0]: not a network in CIDR form"),
    (UPSTREAM + "[admin]\nhost = '0.0.0.0'\nport = 9", "$.admin.token: required when the admin listener is on 0.0.0.0"),
    (UPSTREAM + "[admin]\nport = 8080", "$.admin.port: the same as listen.port  (c.toml:4)"),
    (UPSTREAM + "[admin]\nport = 9\ntoken = {env = 'GONE'}", "$.admin.token: environment variable GONE is not set"),
    (UPSTREAM + "[admin]\nport = 9\ntoken = {file = '/absent'}", "$.admin.token: file /absent cannot be read"),
    (UPSTREAM + "[admin]\nport = 9\ntoken = {}", "$.admin.token: give exactly one of `env` and `file`"),
    (UPSTREAM + "[admin]\nport = 9\ntoken = 'abc'", "$.admin.token: expected a table  (c.toml:5)"),
    (UPSTREAM + KEPT + "key = {env = 'GONE'}", "$.projects.a.definitions.key: environment variable GONE is not set"),
    (UPSTREAM + KEPT + "poll_s = 30", "$.projects.a.definitions.key: required, but missing"),
    (UPSTREAM + KEPT + KEY + "timezone = 'Berlin'", "$.projects.a.definitions.timezone: no such time zone; write it as"),
    (UPSTREAM + KEPT + KEY + "poll_s = 0.5", "$.projects.a.definitions.poll_s: expected `float` >= 1.0"),
    (UPSTREAM + "[definitions]\nhmac_key = {env = 'GONE'}", "$.definitions.hmac_key: environment variable GONE is not set"),
    (UPSTREAM + "[definitions]\nboot = 'https://u:p@x/{project}'", "$.definitions.boot: must not carry credentials"),
    (
        UPSTREAM + "[definitions]\nboot = '/x.json'\n" + KEPT + KEY + PROJECT.replace("a", "b") + "definitions = " + ALSO,
        "$.definitions.boot: with several projects it must contain {project}",
    ),
    (
        UPSTREAM + "[policy]\nrungs = ['stale', 'guess']",
        "$.policy.rungs[1]: unknown rung; known: configured, local, stale  (c.toml:4)",
    ),
    (
        UPSTREAM + "[policy.flags.x]\nfailure = 'fixed-value'",
        "$.policy.flags.x.value: required with fixed-value: a boolean, or the key of a variant  (c.toml:3)",
    ),
    (
        UPSTREAM + "[policy.flags.x]\nfailure = 'fail-open'\nvalue = true",
        '$.policy.flags.x.value: means nothing with fail-open; write failure = "fixed-value"  (c.toml:5)',
    ),
    (
        UPSTREAM + "[policy.flags.x]\nfailure = 'fixed-value'\nvalue = ''",
        "$.policy.flags.x.value: an empty text is no variant",
    ),
    (
        UPSTREAM + "[policy]\nrungs = ['stale']\n[policy.flags.x]\nfailure = 'fail-closed'",
        '$.policy.flags.x.failure: never used: the policy\'s rungs do not name "configured"',
    ),
    (
        UPSTREAM + "[policy]\nrungs = ['configured']\n[policy.flags.x]\nstale = false\nstale_if_error_s = 3",
        "$.policy.flags.x.stale_if_error_s: means nothing where stale = false  (c.toml:7)",
    ),
    (UPSTREAM + "[policy.flags.x]\nfailure = 'open'", "$.policy.flags.x.failure: invalid enum value 'open'"),
    (UPSTREAM + "[policy.flags.x]\nvalue = 3", "$.policy.flags.x.value: expected `bool | str | null`, got `int`"),
    (REDIS + "['u:pw@x:1']", "$.redis.addresses[0]: write it as host:port; user and password have settings of their own"),
    (REDIS + "['x']", "$.redis.addresses[0]: write it as host:port"),
    (REDIS + "['x:0']", "$.redis.addresses[0]: write it as host:port"),
    (REDIS + "['x:1/2']", "$.redis.addresses[0]: write it as host:port"),
    (REDIS + "['redis://x:1']", "$.redis.addresses[0]: write it as host:port"),
    (REDIS + "['a:1', 'b:2']", "$.redis.addresses: one server has one address; for several set mode to sentinel or cluster"),
    (REDIS + "['a:1']\nmode = 'sentinel'", "$.redis.sentinel_name: required with sentinels: the name they know the master by"),
    (REDIS + "['a:1']\nsentinel_name = 'm'", "$.redis.sentinel_name: only for mode sentinel"),
    (REDIS + "['a:1']\nsentinel_password = {env = 'SHARED'}", "$.redis.sentinel_password: only for mode sentinel"),
    (REDIS + "['a:1']\nmode = 'cluster'\ndatabase = 2", "$.redis.database: a cluster has only database 0"),
    (REDIS + "['a:1']\nusername = 'u'", "$.redis.password: required with a username"),
    (REDIS + "['a:1']\npassword = {env = 'GONE'}", "$.redis.password: environment variable GONE is not set"),
    (REDIS + "['a:1']\nca_file = '/absent'", "$.redis.ca_file: cannot be read"),
    (REDIS + "['a:1']\nca_file = '/absent'", "$.redis.tls: must be true for ca_file to mean anything"),
    (REDIS + "['a:1']\nmode = 'master'", "$.redis.mode: expected `str` matching regex"),
    (REDIS + "['a:1']\nprefix = 'a*'", "$.redis.prefix: expected `str` matching regex"),
    (REDIS + "['a:1']", "$.redis.secret: too short: give at least 32 characters"),
    (UPSTREAM + "[redis]\naddresses = ['a:1']", "$.redis.secret: required: whoever can write to Redis could change flags"),
    (UPSTREAM + PROJECT + "[projects.a.policy]\nrungs = ['guess']", "$.projects.a.policy.rungs[0]: unknown rung"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS, ids=[said.partition(":")[0] for _, said in FAULTS])
def test_a_fault_is_told_with_its_place_and_its_author(tmp_path: Path, text: str, said: str) -> None:
    assert said in str(read(tmp_path, text))


def test_all_structural_faults_are_told_at_once(tmp_path: Path) -> None:
    found = read(tmp_path, "[listen]\nport = 'x'\nprot = 1\n[memory]\nmax_bytes = 0\n[upstreams.default]\n")
    assert isinstance(found, Problems)
    assert [".".join(problem.place) for problem in found.items] == [
        "listen.port",
        "listen.prot",
        "memory.max_bytes",
        "upstreams.default.url",
    ]


def test_no_fault_repeats_a_value(tmp_path: Path) -> None:
    canary = "canary-4711"
    text = f"""
    [upstreams.default]
    url = "ftp://{canary}"
    [projects.a]
    tokens = ["{canary}", "{canary}"]
    [admin]
    host = "{canary}"
    port = "{canary}"
    [log]
    level = "{canary}"
    """
    found = read(tmp_path, text)
    assert isinstance(found, Problems)
    assert canary not in str(found)
    assert canary not in str(read(tmp_path, text.replace(f'port = "{canary}"', "").replace(f'level = "{canary}"', "")))


def test_a_file_that_is_not_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    assert "not valid TOML" in str(read(tmp_path, "[listen\nport = 1"))
    assert "at line 1" in str(read(tmp_path, "[listen\nport = 1"))


def test_a_missing_file_is_told_with_a_remedy(tmp_path: Path) -> None:
    assert "no such file; give one with --config" in str(load(tmp_path / "absent.toml", {}))


def test_a_folder_instead_of_a_file_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in str(load(tmp_path, {}))


def read(folder: Path, text: str) -> Loaded | Problems:
    path = folder / "c.toml"
    path.write_text(text)
    return load(path, {"SHARED": "short"})


def test_redis_may_be_one_server_sentinels_or_a_cluster_and_is_not_looked_at_without_addresses(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for more in ("'[::1]:6379']", "'a:1', 'b:2']\nmode = 'sentinel'\nsentinel_name = 'm'", "'a:1', 'b:2']\nmode = 'cluster'"):
        path.write_text(REDIS + "[" + more)
        assert isinstance(load(path, {"SHARED": "s" * 32}), Loaded)
    path.write_text(UPSTREAM + "[redis]\nsecret = {env = 'GONE'}\nca_file = '/absent'\nusername = 'u'")
    assert isinstance(load(path, {}), Loaded)
