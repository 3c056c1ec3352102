"""Projects as the embedded service knows them, and requests of their callers, drawn by seed.

The flags and the people are the harness's; on top comes what makes a local evaluator unsure: people of whom the service knows
more than they send, continuity with stored identities, device ids, static cohorts, GeoIP, enrollment, dates without a zone,
holdouts, dependencies, runtimes, contexts, flags that are switched off.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from harness.strategies import cases

TOKEN = "phc_drawn"
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati")
STATIC = 9
ADDRESS = "203.0.113.9"
AGENTS = ("posthog-python/7.91.1", "posthog-js/1.300", "Mozilla/5.0", "something else", "curl/8")
CONTEXTS = ("web", "docs")
DATES = ("2024-03-01", "2024-03-01 12:00", "2024-03-01T12:00:00Z", "2024-02-30", "-1y", "-5d")
DAYS = ("2024-02-29", "2024-03-01 05:00:00", "2024-03-01T13:00:00+02:00", 1709294400, "no date", "2026-11-20")


class Drawn(NamedTuple):
    """One project and some requests.

    Attributes:
        file: As `reference.service` reads it.
        timezone: The project's; what a proxy may be configured with.
        requests: Body and User-Agent of each.
    """

    file: dict[str, Any]
    timezone: str
    requests: list[tuple[dict[str, Any], str]]


def projects(seed: int, count: int) -> list[Drawn]:
    """Draw so many projects; the same seed draws the same ones."""
    found = cases(seed)
    return [_Writer(Random(f"{seed}/{number}")).project(next(found)) for number in range(count)]


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random

    def project(self, case: Any) -> Drawn:
        flags = [self.flag(flag, case.flag_keys) for flag in case.definitions["flags"]]
        rows = [self.row(person) for person in case.people]
        timezone = self.random.choice(ZONES)
        names = [person["distinct_id"] for person in case.people]
        service = {
            "tokens": [TOKEN],
            "timezone": timezone,
            "persons": [row for row in rows if row is not None],
            "groups": {name: {f"{name[:3]}-{n}": self.properties() for n in range(0, 40, 3)} for name in ("organization",)},
            "cohort_members": {str(STATIC): self.random.sample(names, len(names) // 2)},
            "hash_key_overrides": {name: {flag["key"]: "somebody" for flag in flags} for name in names[::3]},
            "geoip": {ADDRESS: {"$geoip_country_code": "SE"}},
            "config": None,
        }
        cohorts = {**case.definitions["cohorts"], str(STATIC): {"is_static": True}}
        file = {**case.definitions, "flags": flags, "cohorts": cohorts, "service": service}
        return Drawn(file, timezone, [self.request(person, case.flag_keys) for person in case.people])

    def flag(self, flag: Any, keys: list[str]) -> dict[str, Any]:
        filters = {**flag["filters"]}
        for group in filters["groups"]:
            if self.chance(0.25):
                group["properties"].append(self.doubtful(flag["key"], keys))
        more = {
            "ensure_experience_continuity": self.chance(0.15),
            "bucketing_identifier": self.random.choice(("distinct_id", "distinct_id", "device_id")),
            "evaluation_runtime": self.random.choice((None, None, "all", "client", "server")),
            "evaluation_contexts": self.random.sample(CONTEXTS, self.random.choice((0, 0, 1))),
            "active": self.chance(0.9),
        }
        if self.chance(0.1):
            filters["holdout"] = {"id": 7, "exclusion_percentage": self.random.choice((0, 10, 50, 100))}
        if self.chance(0.1):
            filters["feature_enrollment"] = True
        return {**flag, **more, "filters": filters}

    def doubtful(self, own: str, keys: list[str]) -> dict[str, Any]:
        earlier = keys[: keys.index(own)]
        leaves = [
            {"key": "id", "type": "cohort", "value": STATIC, "operator": self.random.choice(("in", "not_in"))},
            {"key": "$geoip_country_code", "type": "person", "operator": "exact", "value": ["SE"]},
            {"key": "$initial_os", "type": "person", "operator": "is_not", "value": "mac"},
            {"key": "day", "type": "person", "operator": "is_date_after", "value": self.random.choice(DATES)},
            {"key": "day", "type": "person", "operator": "is_date_before", "value": self.random.choice(DATES)},
            {"key": "plan", "type": "person", "operator": "is_not", "value": ["pro"]},
            {"key": "city", "type": "person", "operator": "is_not_set", "value": "is_not_set"},
        ]
        if earlier:
            value = self.random.choice((True, True, False, "variant-0"))
            target = self.random.choice(earlier)
            leaves.append({"key": target, "type": "flag", "operator": "flag_evaluates_to", "value": value})
        return self.random.choice(leaves)

    def row(self, person: Any) -> dict[str, Any] | None:
        if self.chance(0.3):
            return None
        return {"distinct_ids": [person["distinct_id"]], "properties": {**self.properties(), "stored": True}}

    def request(self, person: Any, keys: list[str]) -> tuple[dict[str, Any], str]:
        body = {"token": TOKEN, **person}
        if self.chance(0.3):
            body["person_properties"] = {**body["person_properties"], "day": self.random.choice(DAYS)}
        if self.chance(0.2):
            body["person_properties"] = {**body["person_properties"], "$geoip_country_code": self.random.choice((None, "NO"))}
        options: dict[str, Any] = {
            "$device_id": f"device-{self.random.randrange(9)}",
            "geoip_disable": True,
            "flag_keys": self.random.sample(keys, 3),
            "evaluation_contexts": [self.random.choice(CONTEXTS)],
            "$anon_distinct_id": "anonymous",
        }
        chances = {"$anon_distinct_id": 0.05, "flag_keys": 0.15}
        body |= {name: value for name, value in options.items() if self.chance(chances.get(name, 0.4))}
        return body, self.random.choice(AGENTS)

    def properties(self) -> dict[str, Any]:
        drawn = {"plan": self.random.choice(("free", "pro")), "city": "Zürich", "age": self.random.choice((17, 18, 65))}
        return {key: value for key, value in drawn.items() if self.chance(0.5)}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability
