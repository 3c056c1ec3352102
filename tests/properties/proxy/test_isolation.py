"""Must show 4: requests that differ in anything an answer may depend on never share one; those that differ in nothing else do.

Each pair walks the whole line with fresh copies on, against an upstream whose answers are all different; so whoever is given
another's answer is found out. Every pair is sent twice over and in both roles, so the short cuts are walked as well.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.answer.answer import Source, Whole
from proxy.answer.request import FlagsRequest
from proxy.config.settings import Policy
from tests.fakes.line import HEADERS, FakeLine
from tests.fakes.transport import FakeTransport

TEXT = st.text(max_size=6) | st.sampled_from(["a", "1", "true", '":', "\\", "sent_at", '"sent_at": "x"', "é"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
NAMES = TEXT.filter(lambda name: name not in {"distinct_id", "flag_keys"})


class Sent(msgspec.Struct):
    """One request as a client sends it."""

    body: dict[str, Any]
    query: str = "v=2"
    path: str = "/flags/"
    peer: str = "203.0.113.9"
    headers: list[tuple[str, str]] = msgspec.field(default_factory=lambda: list(HEADERS))
    blanks: bool = True


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    body: dict[str, Any] = {
        draw(st.sampled_from(["token", "api_key", "$token"])): draw(st.sampled_from(["phc_a", "phc_b"])),
        "distinct_id": draw(TEXT),
        "person_properties": draw(st.dictionaries(TEXT, VALUES, max_size=3)),
        "groups": draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        "geoip_disable": draw(st.booleans()),
        "sent_at": draw(TEXT),
    }
    if draw(st.booleans()):
        body["flag_keys_to_evaluate"] = draw(st.lists(TEXT, max_size=2))
    return Sent(body=body, query=draw(st.sampled_from(["v=2", "", "v=4&config=1"])), blanks=draw(st.booleans()))


def other(value: Any) -> Any:
    """Return a value that is certainly another one, of the same kind where that is possible."""
    return f"{value}~" if isinstance(value, str) else [value, "~"]


def in_body(name: str) -> Callable[[Sent, Any], None]:
    def change(sent: Sent, drawn: Any) -> None:
        present = next((alias for alias in ("token", "api_key", "$token") if name == "token" and alias in sent.body), name)
        sent.body[present] = other(sent.body.get(present, ""))

    return change


def in_place(inside: str) -> Callable[[Sent, Any], None]:
    def change(sent: Sent, drawn: Any) -> None:
        held = sent.body[inside]
        name = next(iter(held), "sent_at")
        held[name] = other(held[name]) if name in held else drawn

    return change


def header(name: str) -> Callable[[Sent, Any], None]:
    def change(sent: Sent, drawn: Any) -> None:
        sent.headers = [*((n, v) for n, v in sent.headers if n != name), (name, "something-else/2")]

    return change


def address(sent: Sent, drawn: Any) -> None:
    sent.body["geoip_disable"] = False
    sent.peer = "198.51.100.77"


def integer_as_float(sent: Sent, drawn: Any) -> None:
    sent.body["person_properties"] = {"n": 1.0}


TELLING: dict[str, Callable[[Sent, Any], None]] = {
    "tenant": in_body("token"),
    "user": in_body("distinct_id"),
    "property": in_place("person_properties"),
    "group": in_place("groups"),
    "flag keys": in_body("flag_keys_to_evaluate"),
    "device": in_body("$device_id"),
    "runtime": in_body("evaluation_runtime"),
    "an unknown new field": in_body("a_field_of_next_year"),
    "agent": header("User-Agent"),
    "origin": header("Origin"),
    "referer": header("Referer"),
    "fetch mode": header("Sec-Fetch-Mode"),
    "a PostHog header": header("X-PostHog-Whatever"),
    "address": address,
    "family": lambda sent, _: setattr(sent, "path", "/decide/"),
    "version": lambda sent, _: setattr(sent, "query", "v=3"),
    "an unknown parameter": lambda sent, _: setattr(sent, "query", sent.query + "&only_evaluate_survey_feature_flags=1"),
    "an integer as a float": integer_as_float,
}


def closed(name: str) -> Callable[[Sent, Any], None]:
    return lambda sent, drawn: sent.body.__setitem__(name, drawn)


def reordered(sent: Sent, drawn: Any) -> None:
    sent.body = dict(reversed(sent.body.items()))


IRRELEVANT: dict[str, Callable[[Sent, Any], None]] = {
    "sent_at": closed("sent_at"),
    "timestamp": closed("timestamp"),
    "$lib_version": closed("$lib_version"),
    "order": reordered,
    "blanks": lambda sent, _: setattr(sent, "blanks", not sent.blanks),
    "time in the query": lambda sent, _: setattr(sent, "query", f"{sent.query}&_=1700000000000"),
    "library version in the query": lambda sent, _: setattr(sent, "query", f"ver=1.2&{sent.query}"),
    "slash": lambda sent, _: setattr(sent, "path", "/flags"),
    "address with geoip off": lambda sent, _: (sent.body.update(geoip_disable=True), setattr(sent, "peer", "198.51.100.7"))[0],
    "a header nobody looks at": header("Accept-Language"),
}


async def walk(*sent: Sent) -> tuple[list[bytes], list[Source]]:
    """Send each in turn and return the bodies and where they came from."""
    number = count()

    def answer(_: FlagsRequest) -> Whole:
        return Whole(200, "application/json", b'{"flags":{},"errorsWhileComputingFlags":false,"n":%d}' % next(number))

    line = FakeLine(policy=Policy(fresh_s=60), transport=FakeTransport(answer))
    given_ = []
    for one in sent:
        text = json.dumps(one.body, separators=None if one.blanks else (",", ":")).encode()
        target = f"{one.path}?{one.query}" if one.query else one.path
        given_.append(await line.ask(text, target=target, headers=one.headers, peer=one.peer))
    await line.line.close()
    return [answer.content.body for answer in given_], [answer.source for answer in given_]


@pytest.mark.parametrize("what", sorted(TELLING))
@settings(max_examples=60)
@given(sent=requests(), drawn=VALUES)
def test_requests_that_differ_where_it_matters_never_share_an_answer(what: str, sent: Sent, drawn: Any) -> None:
    changed = copy.deepcopy(sent)
    if what == "an integer as a float":
        sent.body["person_properties"] = {"n": 1}
    if what == "address":
        sent.body["geoip_disable"] = False
    TELLING[what](changed, drawn)
    if changed == sent:
        return
    bodies, _ = asyncio.run(walk(sent, changed, sent, changed))
    assert bodies[0] != bodies[1]
    assert bodies[2:] == bodies[:2], "each still finds its own"


@pytest.mark.parametrize("what", sorted(IRRELEVANT))
@settings(max_examples=60)
@given(sent=requests(), drawn=SCALARS.filter(lambda value: value != 0))
def test_requests_that_differ_only_in_the_closed_list_share_one_answer(what: str, sent: Sent, drawn: Any) -> None:
    if what == "address with geoip off":
        sent.body["geoip_disable"] = True
    changed = copy.deepcopy(sent)
    IRRELEVANT[what](changed, drawn)
    bodies, sources = asyncio.run(walk(sent, changed, sent))
    assert len(set(bodies)) == 1
    assert sources == [Source.UPSTREAM, Source.FRESH, Source.FRESH]


@pytest.mark.parametrize(
    "private",
    [
        {"distinct_id": "$posthog_cookieless"},
        {"override_flags_definitions": {}},
        {"disable_flags": True},
        {"sent_at": {"odd": 1}},
    ],
)
async def test_requests_that_may_not_be_shared_are_never_remembered(private: dict[str, Any]) -> None:
    line = FakeLine(policy=Policy(fresh_s=60))
    for _ in range(2):
        await line.ask({"token": "t", "distinct_id": "u"} | private)
    assert len(line.transport.asked) == 2
    assert len(line.line.memory.cache) == 0


@pytest.mark.parametrize("query", ["v=2&detailed_analysis=1", "v=2&only_use_override_person_properties=true", "_=x"])
async def test_internal_queries_are_never_remembered(query: str) -> None:
    line = FakeLine(policy=Policy(fresh_s=60))
    for _ in range(2):
        await line.ask({"token": "t", "distinct_id": "u"}, target=f"/flags/?{query}")
    assert len(line.transport.asked) == 2


async def test_a_caller_with_a_bearer_is_never_given_or_left_a_remembered_answer() -> None:
    line = FakeLine(policy=Policy(fresh_s=60))
    for headers in (HEADERS, (*HEADERS, ("Authorization", "Bearer x")), (*HEADERS, ("Authorization", "Bearer x"))):
        await line.ask({"token": "t", "distinct_id": "u"}, headers=headers)
    assert len(line.transport.asked) == 3
    assert len(line.line.memory.cache) == 1
