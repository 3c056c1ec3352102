"""Cross-origin lines are made from the request at hand."""

from __future__ import annotations

import pytest

from proxy.edge.cors import headers_for, preflight_headers


def test_the_origin_is_mirrored_with_credentials_and_our_headers_exposed() -> None:
    lines = dict(headers_for("https://app.example"))
    assert lines["Access-Control-Allow-Origin"] == "https://app.example"
    assert lines["Access-Control-Allow-Credentials"] == "true"
    assert lines["Vary"] == "Origin"
    exposed = lines["Access-Control-Expose-Headers"].lower().split(", ")
    assert {"x-posthog-rate-limit-warning", "cache-status", "proxy-status", "age"} <= set(exposed)


@pytest.mark.parametrize("origin", [None, "", "https://a\r\nX-Evil: 1", "https://grün.example", "x" * 5000])
def test_without_a_sound_origin_only_vary_is_said(origin: str | None) -> None:
    assert headers_for(origin) == (("Vary", "Origin"),)


def test_null_origins_are_mirrored_like_any_other() -> None:
    assert ("Access-Control-Allow-Origin", "null") in headers_for("null")


def test_a_preflight_mirrors_the_requested_headers_and_names_the_methods() -> None:
    lines = dict(preflight_headers("https://app.example", "content-type,x-custom"))
    assert lines["Access-Control-Allow-Headers"] == "content-type,x-custom"
    assert lines["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS, HEAD"
    assert lines["Access-Control-Allow-Origin"] == "https://app.example"


@pytest.mark.parametrize("requested", [None, "", "a\r\nb"])
def test_a_preflight_without_sound_headers_mirrors_none(requested: str | None) -> None:
    assert "Access-Control-Allow-Headers" not in dict(preflight_headers("https://app.example", requested))
