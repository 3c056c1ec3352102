"""Who may talk to the admin face. Pure decisions over a request's headers.

Three locks: the `Host` header must be an address of ours (a web page that rebinds its DNS name to 127.0.0.1 still sends its
own name), a browser's cross-site request is refused (`Origin`), and the bearer token, where one is configured, must match.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from proxy.config.secret import Secret

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ANY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared with, never bound
_SCHEME: Final = "bearer "


def refusal(headers: Mapping[str, str], *, own_host: str, token: Secret | None) -> tuple[HTTPStatus, str] | None:
    """Return status and reason when a request must not pass; None when it may."""
    if not _is_ours(host_of(headers.get("Host", "")), own_host):
        return HTTPStatus.MISDIRECTED_REQUEST, "this Host is not served here; use the listener's own address"
    if "Origin" in headers:
        return HTTPStatus.FORBIDDEN, "no requests from web pages"
    if token is not None and not _carries(headers.get("Authorization", ""), token):
        return HTTPStatus.UNAUTHORIZED, "a bearer token is required"
    return None


def _is_ours(host: str, own_host: str) -> bool:
    """Tell whether a `Host` may name this listener: on every address of the machine, any address may, but no name."""
    return host in _LOOPBACK | {own_host, f"[{own_host}]"} or (own_host in _ANY and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def host_of(header: str) -> str:
    """Return the host of a `Host` header, lower case, without its port."""
    if header.startswith("["):
        return header[: header.find("]") + 1].lower()
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


def _carries(authorization: str, token: Secret) -> bool:
    is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME
    return token.matches(authorization[len(_SCHEME) :]) and is_bearer
