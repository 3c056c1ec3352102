"""Layers: the file, the environment over it, each project's policy over the global one; and who said what."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.command.show import shown
from proxy.config.document import leaves, lines_of
from proxy.config.environment import variable_of
from proxy.config.load import Loaded, digest_of, load
from proxy.config.problem import Problems
from proxy.config.schema import Leaf, Named, Node, Place, Table, describe
from proxy.config.settings import Definitions, Policy, SecretSource, Settings

URL = {"HOLDFAST_UPSTREAMS__DEFAULT__URL": "https://flags.example"}
EXAMPLE = Path(__file__).parents[4] / "deploy" / "holdfast.toml"


def loaded(environ: dict[str, str], path: Path | None = None) -> Loaded:
    found = load(path, environ)
    assert isinstance(found, Loaded), found
    return found


def test_the_environment_alone_is_enough() -> None:
    settings = loaded(URL | {"HOLDFAST_LISTEN__PORT": "9000", "HOLDFAST_PASSTHROUGH__ALL": "true"}).settings
    assert (settings.listen.port, settings.passthrough.all) == (9000, True)


def test_the_environment_goes_over_the_file_value_by_value(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[listen]\nport = 1\nhost = "127.0.0.9"\n')
    found = loaded(URL | {"HOLDFAST_LISTEN__PORT": "2"}, path)
    assert (found.settings.listen.port, found.settings.listen.host) == (2, "127.0.0.9")
    assert found.origins["listen", "port"] == "env HOLDFAST_LISTEN__PORT"
    assert found.origins["listen", "host"] == "c.toml:3"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HOLDFAST_LISTN__PORT", "1", "names no setting; did you mean HOLDFAST_LISTEN__PORT?"),
        ("HOLDFAST_LISTEN", "{port = 1}", "HOLDFAST_LISTEN names no setting"),
        ("HOLDFAST_LISTEN__PORT__X", "1", "names no setting"),
        ("HOLDFAST_", "1", "names no setting"),
        ("HOLDFAST_LISTEN__PORT", "many", "$.listen.port: expected `int`, got `str`  (env HOLDFAST_LISTEN__PORT)"),
        ("HOLDFAST_LISTEN__PORT", "1\nhost = 'x'", "$.listen.port: expected `int`, got `str`"),
        ("HOLDFAST_TRUSTED_PROXIES", "10.0.0.0/8", "$.trusted_proxies: expected `array`, got `str`"),
    ],
)
def test_a_variable_that_sets_nothing_is_an_error(variable: str, value: str, said: str) -> None:
    found = load(None, URL | {variable: value})
    assert isinstance(found, Problems)
    assert said in str(found)


def test_variables_that_hold_a_named_secret_are_no_strangers() -> None:
    secret = {"HOLDFAST_ADMIN__PORT": "9", "HOLDFAST_ADMIN__TOKEN__ENV": "HOLDFAST_TOKEN", "HOLDFAST_TOKEN": "hush"}
    assert loaded(URL | secret | {"HOLDFAST_CONFIG": "anything"}).settings.admin.token is not None


def test_a_projects_policy_inherits_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        "[policy]\nfresh_s = 3\nmark_stale = false\n[projects.a]\ntokens = ['x']\n[projects.b]\ntokens = ['y']\n"
        "[projects.b.policy]\nfresh_s = 9\n"
    )
    found = loaded(URL | {"HOLDFAST_PROJECTS__A__POLICY__DEADLINE_S": "1.5"}, path)
    assert found.settings.projects["a"].policy == Policy(fresh_s=3, mark_stale=False, deadline_s=1.5)
    assert found.settings.projects["b"].policy == Policy(fresh_s=9, mark_stale=False)
    assert found.origins["projects", "a", "policy", "fresh_s"] == "policy, c.toml:2"


def test_equal_configurations_have_equal_digests_whatever_their_order() -> None:
    assert digest_of({"a": 1, "b": {"c": [1, 2]}}) == digest_of({"b": {"c": [1, 2]}, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_lines_are_those_of_headers_and_keys() -> None:
    text = "a = 1\n\n[b.c]  # comment\n# d = 2\nd = 3\n[ e ]\n"
    assert lines_of(text) == {("a",): 1, ("b", "c"): 3, ("b", "c", "d"): 5, ("e",): 6}


def test_the_example_file_loads_and_changes_no_default_but_its_upstream() -> None:
    found = loaded({}, EXAMPLE).settings
    assert msgspec.structs.replace(found, upstreams={}) == Settings(upstreams={})


def test_the_example_file_shows_every_setting_with_its_true_default(tmp_path: Path) -> None:
    uncommented = re.sub(r"^# (?=(\[projects|[a-z_]+ = ))", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    document = tomllib.loads(uncommented)
    of_its_own = {
        ("admin", "port"), ("admin", "token", "env"), ("process", "runtime_dir"), ("upstreams", "default", "url"),
        ("upstreams", "default", "assets_url"), ("upstreams", "default", "ca_file"),
        ("definitions", "directory"), ("definitions", "boot"), ("definitions", "hmac_key", "env"),
        ("redis", "addresses"), ("redis", "sentinel_name"), ("redis", "username"), ("redis", "ca_file"),
    }  # fmt: skip
    of_its_own.add(("store", "directory"))
    secrets = {("redis", name) for name in ("password", "sentinel_password", "secret", "previous_secret")}
    secrets |= {("store", "hmac_key"), ("store", "previous_hmac_key"), ("telemetry", "authorization")}
    of_its_own.add(("telemetry", "otlp_url"))
    of_its_own |= {(*place, "env") for place in secrets}
    by_name = {("policy", "flags")}  # tables under names that the operator chooses have no defaults to show
    defaults = {
        place: value
        for place, value in _defaults(describe(Settings))
        if place[:1] != ("projects",) and place[:2] not in by_name
    }
    written = {place: value for place, value in leaves(document) if place[:1] != ("projects",)}
    assert {place: value for place, value in written.items() if place not in of_its_own} == {
        place: value
        for place, value in defaults.items()
        if place not in of_its_own | {(*place, "file") for place in secrets | {("admin", "token"), ("definitions", "hmac_key")}}
    }
    assert document["projects"]["shop"].keys() == {"tokens", "upstream", "policy", "definitions"}
    kept = document["projects"]["shop"]["definitions"]
    defaults = msgspec.to_builtins(Definitions(key=SecretSource(env="POSTHOG_KEY")))
    assert kept | {"timezone": None, "key": defaults["key"]} == defaults


def test_the_printed_configuration_names_every_origin_and_hides_tokens(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[projects.a]\ntokens = ['phc_canary']\n[listen]\nport = 7\n")
    text = shown(loaded(URL | {"HOLDFAST_PROCESS__WORKERS": "3"}, path))
    assert "phc_canary" not in text
    rows = {row.split(" = ")[0]: row for row in text.splitlines()}
    assert re.fullmatch(r"\$\.listen\.port = 7 +# c\.toml:4", rows["$.listen.port"])
    assert re.fullmatch(r"\$\.process\.workers = 3 +# env HOLDFAST_PROCESS__WORKERS", rows["$.process.workers"])
    assert re.fullmatch(r"\$\.process\.drain_s = 10\.0 +# default", rows["$.process.drain_s"])
    assert re.fullmatch(r"\$\.projects\.a\.tokens = \[redacted\] +# c\.toml:2", rows["$.projects.a.tokens"])


def test_settings_do_not_print_tokens() -> None:
    found = loaded(URL | {"HOLDFAST_PROJECTS__A__TOKENS": '["phc_canary"]'})
    assert "phc_canary" not in repr(found.settings) + str(found.settings.projects)


SCALARS = {
    ("listen", "port"): st.integers(0, 65_535).filter(lambda port: port != 443),
    ("listen", "host"): st.sampled_from(["127.0.0.1", "::1", "0.0.0.0", "example.org"]),
    ("process", "workers"): st.integers(1, 256),
    ("process", "drain_s"): st.floats(0.001, 86_400),
    ("policy", "fresh_s"): st.floats(0, 86_400),
    ("policy", "mark_stale"): st.booleans(),
    ("passthrough", "prefixes"): st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=9), max_size=3
    ),
    ("projects", "a", "tokens"): st.lists(st.text("abc'\"\\ é", min_size=1), min_size=1, max_size=3, unique=True),
    ("projects", "a", "policy", "fresh_s"): st.floats(0, 86_400),
    ("log", "level"): st.sampled_from(["debug", "info", "warning", "error"]),
    ("trusted_proxies",): st.lists(st.sampled_from(["10.0.0.0/8", "fd00::/8"]), max_size=2),
}


@given(st.fixed_dictionaries({}, optional=SCALARS))
def test_a_file_and_the_environment_say_the_same(chosen: dict[Place, Any]) -> None:
    if ("projects", "a", "policy", "fresh_s") in chosen:
        chosen.setdefault(("projects", "a", "tokens"), ["t"])
    environ = {variable_of(place): value if isinstance(value, str) else _toml(value) for place, value in chosen.items()}
    text = "".join(f"{'.'.join(place)} = {_toml(value)}\n" for place, value in chosen.items())
    written = tomllib.loads(text)
    by_environment = loaded(URL | environ)
    assert dict(leaves(written)).items() <= dict(leaves(by_environment.document)).items()
    assert by_environment.origins.items() >= {place: f"env {variable_of(place)}" for place in chosen}.items()


def _toml(value: Any) -> str:
    """Write a value as TOML; JSON's strings, lists, numbers and booleans are TOML too (floats need their point)."""
    if isinstance(value, float):
        return format(value, ".1f") if value.is_integer() else repr(value)
    return msgspec.json.encode(value).decode()


def _defaults(node: Node, place: Place = (), given: Any = None) -> list[tuple[Place, Any]]:
    match node:
        case Leaf():
            return [(place, list(given) if isinstance(given, tuple) else given)]
        case Table(fields=fields, defaults=defaults):
            return [found for key, each in fields.items() for found in _defaults(each, (*place, key), defaults.get(key))]
        case Named(each=each):
            return _defaults(each, (*place, "default"))
