"""otel-collector.yaml, checked without a collector: sound in itself, in step with the proxy, and without a secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.config.settings import Telemetry
from proxy.telemetry.metrics.table import TABLE
from proxy.telemetry.traces.story import KEYS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "otel-collector.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "tools" / "collector" / "manifest.yaml").read_text())
KINDS = ("receivers", "processors", "exporters", "extensions")
MODULES = {"otlp": "otlpreceiver", "otlp_http": "otlphttpexporter", "health_check": "healthcheckextension"}
RESOURCE = {"service.name", "service.instance.id", "service.version"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_used_is_defined_and_what_is_defined_is_used(kind: str) -> None:
    used = set(FILE["service"]["extensions"]) if kind == "extensions" else set()
    for pipeline in FILE["service"]["pipelines"].values():
        used |= set(pipeline.get(kind, ()))
    assert used == set(FILE[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_is_one_that_the_collector_is_built_with(kind: str) -> None:
    built = {entry["gomod"].split()[0].rsplit("/", 1)[1] for entry in MANIFEST[kind]}
    assert {MODULES.get(name, name.replace("_", "") + kind.removesuffix("s")) for name in FILE[kind]} == built


def test_every_module_and_the_file_name_one_version() -> None:
    version = MANIFEST["dist"]["version"]
    assert {entry["gomod"].split()[1] for kind in KINDS for entry in MANIFEST[kind]} == {f"v{version}"}
    assert version in TEXT.splitlines()[0]


def test_memory_is_limited_first_secrets_are_removed_next_and_batches_are_made_last() -> None:
    for pipeline in FILE["service"]["pipelines"].values():
        assert pipeline["processors"][:2] == ["memory_limiter", "redaction"]
        assert pipeline["processors"][-1] == "batch"
    traces = FILE["service"]["pipelines"]["traces"]["processors"]
    assert traces.index("tail_sampling") < traces.index("batch")


def test_exactly_what_the_proxy_says_is_let_through() -> None:
    redaction = FILE["processors"]["redaction"]
    labels = {label for instrument in TABLE for label in instrument.labels} | {"process"}
    assert redaction["allow_all_keys"] is False
    assert set(redaction["allowed_keys"]) == KEYS | labels | RESOURCE
    assert len(redaction["allowed_keys"]) == len(set(redaction["allowed_keys"]))


def test_the_shares_of_the_cap_are_those_of_its_policies_and_make_a_whole() -> None:
    (policy,) = FILE["processors"]["tail_sampling"]["policies"]
    composite = policy["composite"]
    names = [each["name"] for each in composite["composite_sub_policy"]]
    assert names == composite["policy_order"] == [each["policy"] for each in composite["rate_allocation"]]
    assert sum(each["percent"] for each in composite["rate_allocation"]) == 100


def test_errors_fallbacks_and_slow_answers_come_before_the_rest() -> None:
    composite = FILE["processors"]["tail_sampling"]["policies"][0]["composite"]
    assert composite["policy_order"] == ["errors", "fallbacks", "slow", "rest"]
    fallbacks = composite["composite_sub_policy"][1]["string_attribute"]
    assert fallbacks["key"] in KEYS


def test_it_listens_where_the_proxys_documents_say_and_on_this_machine_only() -> None:
    listens = FILE["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert listens.endswith("127.0.0.1:4318}")
    assert "http://127.0.0.1:4318" in (ROOT / "deploy" / "holdfast.toml").read_text()
    assert Telemetry().otlp_url is None
    assert set(re.findall(r":-(?:http://)?([\d.]+):", TEXT)) == {"127.0.0.1"}


def test_no_secret_stands_in_it() -> None:
    authorization = FILE["exporters"]["otlp_http"]["headers"]["Authorization"]
    assert authorization.startswith("${env:")
    assert not re.search(r"ph[cxs]_[A-Za-z0-9]{4,}|Bearer [A-Za-z0-9]", TEXT)
