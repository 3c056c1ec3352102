"""Semantic checks: what the types cannot say. Each is a pure function from settings to faults, listed in one table."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from .flag_checks import flag_policy_faults
from .redis_checks import redis_faults, redis_secrets
from .schema import Place
from .secret import Secret, read_secret
from .settings import BOOT_PROJECT, RUNGS, Policy, SecretSource, Settings

Fault: TypeAlias = tuple[Place, str]
Environ: TypeAlias = Mapping[str, str]
_PORTS: Final = {"http": 80, "https": 443}
_ANY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared with, never bound


def semantic_faults(settings: Settings, environ: Environ) -> Iterator[Fault]:
    """Yield every fault of settings that are structurally sound."""
    for check in CHECKS:
        yield from check(settings, environ)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a listener on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tokens_are_unique(settings: Settings, _: Environ) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for name, project in settings.projects.items():
        for index, token in enumerate(project.tokens):
            place = ("projects", name, f"tokens[{index}]")
            if not token:
                yield place, "an empty token"
            elif token in owner:
                yield place, f"this token already belongs to project {owner[token]}"
            owner.setdefault(token, name)


def _projects_have_tokens(settings: Settings, _: Environ) -> Iterator[Fault]:
    for name, project in settings.projects.items():
        if not project.tokens:
            yield ("projects", name, "tokens"), "a project needs at least one token"


def _upstreams_are_named(settings: Settings, _: Environ) -> Iterator[Fault]:
    users: dict[Place, str] = {("projects", name, "upstream"): project.upstream for name, project in settings.projects.items()}
    if settings.passthrough.enabled:
        users["passthrough", "upstream"] = settings.passthrough.upstream
    for place, upstream in users.items():
        if upstream not in settings.upstreams:
            yield place, f"no upstream is named {upstream}; there are: {_listed(settings.upstreams)}"
    if not settings.projects and "default" not in settings.upstreams:
        yield ("upstreams",), "without projects every request goes to the upstream named default, and there is none"


def _urls_are_plain(settings: Settings, _: Environ) -> Iterator[Fault]:
    for place, url in _urls(settings):
        if reason := _url_reason(url):
            yield place, reason


def _no_loop(settings: Settings, _: Environ) -> Iterator[Fault]:
    for place, url in _urls(settings):
        if not _url_reason(url) and _is_own_address(urlsplit(url), settings):
            yield place, "this is the proxy's own listen address: it would ask itself for ever"


def _ca_files_load(settings: Settings, _: Environ) -> Iterator[Fault]:
    for name, upstream in settings.upstreams.items():
        if upstream.ca_file is not None and (reason := _ca_reason(upstream.ca_file)):
            yield ("upstreams", name, "ca_file"), reason
    if settings.redis.is_on and settings.redis.ca_file is not None and (reason := _ca_reason(settings.redis.ca_file)):
        yield ("redis", "ca_file"), reason


def _proxies_are_networks(settings: Settings, _: Environ) -> Iterator[Fault]:
    for index, network in enumerate(settings.trusted_proxies):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield (
                (f"trusted_proxies[{index}]",),
                "not a network in CIDR form, such as 10.0.0.0/8 or fd00::/8 (no host bits set)",
            )


def _admin_is_guarded(settings: Settings, _: Environ) -> Iterator[Fault]:
    admin = settings.admin
    if admin.port is not None and admin.token is None and not is_loopback(admin.host):
        yield ("admin", "token"), f"required when the admin listener is on {admin.host}, which is not loopback"
    if admin.port and admin.port == settings.listen.port:
        yield ("admin", "port"), "the same as listen.port"


def _secrets_are_there(settings: Settings, environ: Environ) -> Iterator[Fault]:
    for place, source in _secrets(settings):
        found = read_secret(source, environ)
        if not isinstance(found, Secret):
            yield place, found


def _rungs_are_known(settings: Settings, _: Environ) -> Iterator[Fault]:
    policies: dict[Place, Policy] = {("policy",): settings.policy}
    policies |= {("projects", name, "policy"): project.policy for name, project in settings.projects.items() if project.policy}
    for place, policy in policies.items():
        for index, rung in enumerate(policy.rungs):
            if rung not in RUNGS:
                yield (*place, f"rungs[{index}]"), f"unknown rung; known: {_listed(RUNGS)}"


def _collector_is_plain(settings: Settings, _: Environ) -> Iterator[Fault]:
    url = settings.telemetry.otlp_url
    if url is not None and (reason := _url_reason(url)):
        yield ("telemetry", "otlp_url"), reason


def _definitions_are_sound(settings: Settings, _: Environ) -> Iterator[Fault]:
    for name, project in settings.projects.items():
        zone = project.definitions.timezone if project.definitions else None
        if zone is not None and zone not in available_timezones():
            yield ("projects", name, "definitions", "timezone"), "no such time zone; write it as Europe/Berlin"


def _boot_is_sound(settings: Settings, _: Environ) -> Iterator[Fault]:
    boot = settings.definitions.boot
    if boot is None:
        return
    if "://" in boot and (reason := _url_reason(boot.replace(BOOT_PROJECT, "project"))):
        yield ("definitions", "boot"), reason
    kept = sum(project.definitions is not None for project in settings.projects.values())
    if kept > 1 and BOOT_PROJECT not in boot:
        yield ("definitions", "boot"), f"with several projects it must contain {BOOT_PROJECT}: each has a set of its own"


CHECKS: Final[tuple[Callable[[Settings, Environ], Iterator[Fault]], ...]] = (
    _projects_have_tokens,
    _tokens_are_unique,
    _upstreams_are_named,
    _urls_are_plain,
    _no_loop,
    _ca_files_load,
    _proxies_are_networks,
    _admin_is_guarded,
    _secrets_are_there,
    _rungs_are_known,
    flag_policy_faults,
    _collector_is_plain,
    _definitions_are_sound,
    _boot_is_sound,
    redis_faults,
)


def _urls(settings: Settings) -> Iterator[tuple[Place, str]]:
    for name, upstream in settings.upstreams.items():
        yield ("upstreams", name, "url"), upstream.url
        if upstream.assets_url is not None:
            yield ("upstreams", name, "assets_url"), upstream.assets_url


def _secrets(settings: Settings) -> Iterator[tuple[Place, SecretSource]]:
    yield from redis_secrets(settings.redis)
    if settings.admin.port is not None and settings.admin.token is not None:
        yield ("admin", "token"), settings.admin.token
    if settings.definitions.hmac_key is not None:
        yield ("definitions", "hmac_key"), settings.definitions.hmac_key
    if settings.telemetry.otlp_url is not None and settings.telemetry.authorization is not None:
        yield ("telemetry", "authorization"), settings.telemetry.authorization
    for name, source in {"hmac_key": settings.store.hmac_key, "previous_hmac_key": settings.store.previous_hmac_key}.items():
        if source is not None:
            yield ("store", name), source
    for name, project in settings.projects.items():
        if project.definitions is not None:
            yield ("projects", name, "definitions", "key"), project.definitions.key


def _url_reason(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        has_good_port = parts.port is None or parts.port > 0
    except ValueError:
        return "not a URL"
    table = (
        (parts.scheme not in _PORTS, "must start with http:// or https://"),
        (not parts.hostname, "names no host"),
        (not has_good_port, "has an impossible port"),
        (parts.username is not None or parts.password is not None, "must not carry credentials"),
        ("?" in url or "#" in url, "must not carry a query or a fragment"),
        (any(character.isspace() or not character.isprintable() for character in url), "must not contain spaces"),
    )
    return next((reason for is_wrong, reason in table if is_wrong), None)


def _ca_reason(path: str) -> str | None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "holds no certificates in PEM form"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def _is_own_address(parts: SplitResult, settings: Settings) -> bool:
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    own = settings.listen.host
    is_same_host = host == own or (is_loopback(host) and (is_loopback(own) or own in _ANY)) or host in _ANY
    return port == settings.listen.port and is_same_host


def _listed(names: Mapping[str, object] | frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
