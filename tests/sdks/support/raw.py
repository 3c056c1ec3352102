"""The requests of the SDKs that are not run here, as byte streams (sdks.md §1.1 and §1.2), and a client that sends them.

A form is what is special about one SDK on the wire: path, query, headers, where the token stands, how the body is packed.
"""

import base64
import gzip
import json
import socket
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from .tap import Message, messages
from .world import ADA, PERSONAL_KEY, TOKEN

USUAL = {name: ADA[name] for name in ("distinct_id", "groups", "person_properties", "group_properties")}
JSON = {"Content-Type": "application/json"}
MOZILLA = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PAGE = {"User-Agent": MOZILLA, "Origin": "https://shop.example", "Referer": "https://shop.example/", "Sec-Fetch-Mode": "cors"}


class Form(NamedTuple):
    """One SDK's request; `is_remembered` is whether the proxy can be sure what it says (strict JSON, plain or gzip)."""

    target: str
    headers: dict[str, str]
    body: bytes
    is_remembered: bool = True


def plain(fields):
    return json.dumps(fields).encode()


def zipped(fields):
    # Byte for byte the same each time: the header of a gzip stream has a clock in it.
    return gzip.compress(plain(fields), mtime=0)


def form_data(fields):
    return b"data=" + quote(base64.b64encode(plain(fields))).encode()


BROWSER = {
    "token": TOKEN,
    **USUAL,
    "$anon_distinct_id": "anon-1",
    "timezone": "Europe/Vienna",
    "$device_id": "device-1",
    "person_properties": {**ADA["person_properties"], "$lib": "web", "$lib_version": "1.290.0"},
    "sent_at": "2026-11-22T10:00:00Z",
}
MOBILE = {
    "api_key": TOKEN,
    **USUAL,
    "timezone": "Europe/Vienna",
    "$device_id": "device-1",
    "evaluation_contexts": ["app"],
    "geoip_disable": True,
}

FORMS = {
    "go": Form(
        "/flags/?v=2",
        {**JSON, "User-Agent": "posthog-go/1.17.0"},
        plain(
            {
                "api_key": TOKEN,
                **USUAL,
                "device_id": "device-1",
                "geoip_disable": True,
                "flag_keys_to_evaluate": ["plan-gate", "beta-search"],
            }
        ),
    ),
    "ruby": Form(
        "/flags/?v=2",
        {**JSON, "User-Agent": "posthog-ruby3.9.0", "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"},
        plain({**USUAL, "geoip_disable": True, "token": TOKEN}),
    ),
    "php": Form(
        "/flags/?v=2",
        {**JSON, "User-Agent": "posthog-php/4.2.0"},
        plain({"api_key": TOKEN, **USUAL, "geoip_disable": False, "flag_keys_to_evaluate": ["plan-gate"]}),
    ),
    "rs": Form("/flags/?v=2", {**JSON, "User-Agent": "posthog-rs/0.14.0"}, plain({"api_key": TOKEN, **USUAL})),
    "dotnet": Form(
        "/flags/?v=2",
        {"Content-Type": "application/json; charset=utf-8", "User-Agent": "posthog-dotnet/2.7.0"},
        plain(
            {
                "api_key": TOKEN,
                **USUAL,
                "properties": {"$lib": "posthog-dotnet", "$lib_version": "2.7.0"},
                "timestamp": "2026-11-22T10:00:00Z",
                "evaluation_contexts": ["shop"],
            }
        ),
    ),
    "java": Form(
        "/flags/?v=2",
        {**JSON, "User-Agent": "posthog-server/2.5.0", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"},
        zipped(MOBILE),
    ),
    "android": Form(
        "/flags/?v=2",
        {**JSON, "User-Agent": "posthog-android/3.30.0", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"},
        zipped({**MOBILE, "$anon_distinct_id": "anon-1"}),
    ),
    "elixir": Form(
        "/flags?v=2",
        {**JSON, "User-Agent": "posthog-elixir/2.14.1", "Content-Encoding": "gzip"},
        zipped({"api_key": TOKEN, **USUAL}),
    ),
    "browser, gzip without an encoding": Form(
        "/flags/?v=2&ip=0&_=1763805600000&ver=1.290.0&compression=gzip-js",
        {**PAGE, "Content-Type": "text/plain"},
        zipped(BROWSER),
    ),
    "browser, plain text": Form("/flags/?v=2&config=true", {**PAGE, "Content-Type": "text/plain"}, plain(BROWSER)),
    "browser, surveys only": Form(
        "/flags/?v=2&only_evaluate_survey_feature_flags=true", {**PAGE, "Content-Type": "text/plain"}, plain(BROWSER)
    ),
    "older browser, decide v3 with a base64 form": Form(
        "/decide/?v=3&ip=1&_=1763805600000&ver=1.57.2&compression=base64",
        {**PAGE, "Content-Type": "application/x-www-form-urlencoded"},
        form_data(BROWSER),
        is_remembered=False,
    ),
    "older browser, decide v2 with base64 text": Form(
        "/decide/?v=2", {**PAGE, "Content-Type": "text/plain"}, base64.b64encode(plain(BROWSER)), is_remembered=False
    ),
}

BEARER = {"Authorization": f"Bearer {PERSONAL_KEY}"}
DEFINITIONS = {
    "go": (f"/flags/definitions?send_cohorts=true&token={TOKEN}", {"User-Agent": "posthog-go/1.17.0"}),
    "php": (f"/flags/definitions?send_cohorts&token={TOKEN}", {"User-Agent": "posthog-php/4.2.0"}),
    "rs": ("/flags/definitions/?send_cohorts", {"User-Agent": "posthog-rs/0.14.0", "X-PostHog-Project-Api-Key": TOKEN}),
    "java": (f"/api/feature_flag/local_evaluation/?token={TOKEN}&send_cohorts", {"User-Agent": "posthog-server/2.5.0"}),
    "dotnet": (f"/flags/definitions?token={TOKEN}&send_cohorts", {"User-Agent": "posthog-dotnet/2.7.0"}),
}


def request_of(method, target, headers, body=b""):
    """Return the byte stream of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: proxy.example", *(f"{name}: {value}" for name, value in headers.items())]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def exchange(url, stream) -> Message:
    """Send a byte stream on a connection of its own; return the answer, its body inflated where it says so."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(stream)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    (answer,) = messages(received)
    if answer.headers.get("content-encoding") == "gzip":
        answer = answer._replace(body=gzip.decompress(answer.body))
    return answer
