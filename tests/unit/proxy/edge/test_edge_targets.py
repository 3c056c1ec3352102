"""A request target has one reading or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.settings import Passthrough
from proxy.edge.guard.targets import LONGEST_TARGET, Target, is_below, read_target
from proxy.edge.routes import is_known, is_relayed


@pytest.mark.parametrize(
    ("raw", "path", "query"),
    [
        ("/", "/", ""),
        ("/e/", "/e/", ""),
        ("/e/?ip=1&_=2&x=%zz//..", "/e/", "ip=1&_=2&x=%zz//.."),
        ("/flags/definitions?token=phc_a&send_cohorts", "/flags/definitions", "token=phc_a&send_cohorts"),
        ("/array/phc_a/config.js", "/array/phc_a/config.js", ""),
        (
            "/api/projects/@current/feature_flags/a%20b/remote_config",
            "/api/projects/@current/feature_flags/a%20b/remote_config",
            "",
        ),
        ("/e/?x=a?b", "/e/", "x=a?b"),
        ("/e/...", "/e/...", ""),
        ("/e/%C3%BC", "/e/%C3%BC", ""),
        ("http://evil.example/e/?x=1", "/e/", "x=1"),
        ("HTTPS://evil.example", "/", ""),
        ("http://evil.example?x=1", "/", "x=1"),
    ],
)
def test_a_plain_target_is_taken_as_it_came(raw: str, path: str, query: str) -> None:
    target = read_target(raw)
    assert target is not None
    assert (target.path, target.query) == (path, query)


@pytest.mark.parametrize(
    "raw",
    [
        "", "*", "e", "evil.example:443", "//evil.example/e", "/e//", "/e//x", "/static/../flags", "/static/..", "/./e", "/e/.",
        "/%2e%2e/e", "/static/.%2E/flags", "/static/%252e%252e/flags", "/static/%25252e/flags", "/static/..;x/flags", "/e%2fx",
        "/static%2F..%2fflags", "/static/..%5cflags", "/e\\x", "/e%00", "/e%0d%0aX-Evil:1", "/e%7f", "/%zz", "/e%", "/e%4",
        "/e#x", "/e?x#y", "/e x", "/e?a b", "/e\tx", "/é", "/e/%ff", "/e/%c0%af", "http://evil.example//e",
        "/" + "e" * LONGEST_TARGET,
    ],
)  # fmt: skip
def test_a_target_with_a_second_reading_is_refused(raw: str) -> None:
    assert read_target(raw) is None


@given(st.text("/.%2eE5cfF;\\ab?#", max_size=24))
def test_what_is_let_through_has_neither_dot_segments_nor_hidden_slashes(rest: str) -> None:
    target = read_target("/" + rest)
    if target is None:
        return
    segments = target.meant.split("/")
    assert not {".", ".."}.intersection(segments)
    assert "" not in segments[1:-1]
    assert segments[1:] == [""] or len(segments) == len(target.path.split("/"))
    assert "\\" not in target.meant


@pytest.mark.parametrize("path", ["/e", "/e/", "/e/x", "/e/x/y", "/static/array.js", "/batch/", "/api/surveys/"])
def test_prefixes_cover_themselves_and_what_is_below(path: str) -> None:
    assert is_below(path, (*Passthrough().prefixes, *Passthrough().asset_prefixes))


@pytest.mark.parametrize(
    "path", ["/elsewhere", "/", "/es", "/E/", "/api", "/api/surveysx", "/staticx/y", "/%65/", "/_readiness", "/metrics"]
)
def test_prefixes_end_at_segment_boundaries(path: str) -> None:
    assert not is_below(path, (*Passthrough().prefixes, *Passthrough().asset_prefixes))


@pytest.mark.parametrize(
    "path",
    [
        "/flags/definitions", "/flags/definitions/",
        "/api/feature_flag/local_evaluation", "/api/feature_flag/local_evaluation/",
        "/api/projects/@current/feature_flags/my-key/remote_config", "/api/projects/1/feature_flags/my-key/remote_config/",
    ],
)  # fmt: skip
def test_definitions_and_remote_config_are_relayed(path: str) -> None:
    assert is_relayed(path)
    assert is_known(path)


@pytest.mark.parametrize(
    "path",
    [
        "/flags", "/flags/definitionsx", "/flags/definitions/x", "/api/feature_flag", "/api/projects/1/feature_flags/k",
        "/api/projects//feature_flags/k/remote_config", "/api/projects/1/feature_flags//remote_config",
        "/api/projects/1/feature_flags/k/remote_config/x",
    ],
)  # fmt: skip
def test_neighbours_of_relayed_paths_are_not(path: str) -> None:
    assert not is_relayed(path)


def test_an_escaped_spelling_of_a_known_path_is_recognised() -> None:
    target = read_target("/fl%61gs/definitions")
    assert target == Target("/fl%61gs/definitions", "", "/flags/definitions")
    assert is_known(target.meant)
