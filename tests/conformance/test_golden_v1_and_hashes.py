"""PostHog's golden cases for evaluation and hashing, which lie beside the checkout; the hash facts stand here as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reference import Context, Status, compile_definitions, parse_definitions
from reference.definitions.model import Variant
from reference.rules_v1.buckets import NUMBERS, Split, digest, fraction_of, holdout_digest, rollout_share

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HASHES: list[tuple[str, str, str, float]] = [
    ("beta-search.", "user-17", "", 0.009101217133290002),
    ("beta-search-rollout.", "user-105", "", 0.2851295399293007),
    ("beta-search-rollout.", "user-61", "", 0.0042305989144046955),
    ("checkout-layout.", "user-61", "variant", 0.5698252224547713),
    ("checkout-layout.", "user-17", "variant", 0.13678069113210306),
    ("org-dashboard.", "42", "", 0.5997466051660167),
    ("beta-search.", "ünïcødé-😀", "", 0.7415212578007152),
    ("beta-search.", "a" * 199 + "😀", "", 0.6285769690806571),
    ("my-flag.", "User@example.com", "", 0.023779942246379113),
    ("simple-flag.", "distinct_id_1", "", 0.3397069926995401),
]


def read(*path: str) -> Any:
    file = SHARED.joinpath(*path)
    return json.loads(file.read_text()) if file.exists() else {}


V1 = read("conformance", "v1_evaluation.json").get("cases", [])
GOLDEN_HASHES = read("conformance", "hash_sha1_60_v1.json")
VECTORS = read("spec", "hash-vectors.json")


def digest_of_hash(hash01: float) -> bytes:
    """Make a digest with a given hash: the smallest number that gives it, in the top 60 bits."""
    number = min(int(hash01 * NUMBERS), NUMBERS - 1)
    return (number << 4).to_bytes(8, "big") + bytes(12)


def split(weights: list[dict[str, Any]]) -> Split:
    return Split([Variant(key=each["key"], rollout_percentage=each["rollout_percentage"]) for each in weights])


def test_all_golden_cases_are_there_to_be_run():
    if not SHARED.exists():
        pytest.skip("the golden cases are not beside this checkout")
    counts = [len(GOLDEN_HASHES[name]) for name in ("vectors", "threshold_vectors", "variant_vectors", "seed_parity")]
    assert (len(V1), counts, len(VECTORS["vectors"])) == (31, [11, 8, 8, 5], 38)


@pytest.mark.parametrize("complete", [False, True], ids=["local", "server"])
@pytest.mark.parametrize("case", V1, ids=lambda case: case["id"])
def test_golden_evaluation_case_holds(case, complete):
    program = compile_definitions(parse_definitions(json.dumps(case["definitions"])))
    evaluation = program.evaluate(Context(properties_complete=complete, **case["context"]), now=NOW)
    assert set(evaluation.outcomes) == set(case["expected"]["flags"])
    assert not set(case["expected"]["omitted_flags"]) & set(evaluation.outcomes)
    for key, expected in case["expected"]["flags"].items():
        outcome = evaluation.outcomes[key]
        if expected["local_evaluation"] == "inconclusive" and not complete:
            assert outcome.status is Status.INCONCLUSIVE
            continue
        reason = {"code": outcome.reason, "condition_index": outcome.condition_index}
        found = {
            "value": outcome.value,
            "enabled": outcome.enabled,
            "variant": outcome.variant,
            "payload": outcome.payload,
            "reason": reason,
        }
        assert outcome.status is Status.VALUE
        assert found == {name: expected[name] for name in found}


@pytest.mark.parametrize(("prefix", "identifier", "salt", "hash01"), HASHES)
def test_hash_is_the_published_one_to_the_last_bit(prefix, identifier, salt, hash01):
    digested = digest(prefix.encode(), identifier.encode(), salt.encode())
    assert fraction_of(digested) == hash01
    assert digested < rollout_share(hash01 * 100 + 1e-9).edge
    assert not digested < rollout_share(hash01 * 100 - 1e-9).edge


@pytest.mark.parametrize("vector", GOLDEN_HASHES.get("vectors", []), ids=lambda vector: vector["id"])
def test_golden_hash_vector_holds(vector):
    hashed = digest if vector["identifier"] else lambda prefix, _identifier, salt: digest(b"", prefix + salt)
    digested = hashed(vector["prefix"].encode(), vector["identifier"][:200].encode(), vector["salt"].encode())
    assert digested.hex() == vector["sha1_hex"]
    assert fraction_of(digested) == vector["hash01"]
    for check in vector.get("rollout_checks", []):
        assert (digested < rollout_share(check["rollout_percentage"]).edge) is check["included"]


@pytest.mark.parametrize("vector", GOLDEN_HASHES.get("threshold_vectors", []), ids=lambda vector: vector["id"])
def test_golden_threshold_holds(vector):
    assert (digest_of_hash(vector["hash01"]) < rollout_share(vector["rollout_percentage"]).edge) is vector["included"]


@pytest.mark.parametrize("vector", GOLDEN_HASHES.get("variant_vectors", []), ids=lambda vector: vector["id"])
def test_golden_variant_boundary_holds(vector):
    assert split(vector["variants"]).pick(digest_of_hash(vector["hash01"])) == vector["selected"]


@pytest.mark.parametrize("case", GOLDEN_HASHES.get("seed_parity", []), ids=lambda case: case["id"])
def test_golden_v1_side_of_seed_parity_holds(case):
    if "v1_input" not in case:  # the fallback of v2: v1 has no variant for a hash of 1.0
        assert split([{"key": "a", "rollout_percentage": 100}]).pick(digest_of_hash(case["hash01"])) is None
    elif case["identifier"]:
        prefix = case["v1_input"].removesuffix(case["salt"]).removesuffix(case["identifier"])
        digested = digest(prefix.encode(), case["identifier"].encode(), case["salt"].encode())
        assert fraction_of(digested) == case["hash01"]
    else:
        assert fraction_of(digest(b"", case["v1_input"].encode())) == case["hash01"]
        assert fraction_of(digest(case["v1_input"].encode(), b"")) == 0.0


@pytest.mark.parametrize("vector", VECTORS.get("vectors", []), ids=lambda vector: vector["input"])
def test_hash_vector_of_the_contract_holds(vector):
    identifier = vector["identifier"].encode()
    if vector["purpose"] == "holdout":
        digested = holdout_digest(identifier)
    elif identifier:
        digested = digest(vector["prefix"].encode(), identifier, vector["salt"].encode())
    else:
        digested = digest(b"", vector["input"].encode())
    assert fraction_of(digested) == vector["hash"]
    assert digested.hex() == vector["sha1"]
