"""The one map from the HTTP library's exceptions to our words.

The library makes up statuses (a garbled answer raises with `status=400`): none of them is ever taken for the upstream's.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from proxy.answer.answer import Failure, Trouble

EXPECTED: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, asyncio.IncompleteReadError, OSError)
"""What an exchange may raise without a bug of ours."""

# First match wins: subclasses stand before their bases.
_TROUBLES: Final[tuple[tuple[type[BaseException], Failure], ...]] = (
    (aiohttp.ClientConnectorDNSError, Failure(trouble=Trouble.DNS, no_byte_received=True)),
    (aiohttp.ClientSSLError, Failure(trouble=Trouble.TLS, no_byte_received=True)),
    (ssl.SSLError, Failure(trouble=Trouble.TLS)),
    (aiohttp.ClientConnectorError, Failure(trouble=Trouble.REFUSED, no_byte_received=True)),
    (aiohttp.ConnectionTimeoutError, Failure(trouble=Trouble.CONNECT_TIMEOUT, no_byte_received=True)),
    (TimeoutError, Failure(trouble=Trouble.TIMEOUT)),
    (aiohttp.ServerDisconnectedError, Failure(trouble=Trouble.RESET, no_byte_received=True)),
    (aiohttp.ClientOSError, Failure(trouble=Trouble.RESET)),
    (aiohttp.ClientPayloadError, Failure(trouble=Trouble.INCOMPLETE)),
    (asyncio.IncompleteReadError, Failure(trouble=Trouble.INCOMPLETE)),
    (aiohttp.ClientConnectionError, Failure(trouble=Trouble.RESET)),
    (OSError, Failure(trouble=Trouble.RESET)),
    (aiohttp.ClientError, Failure(trouble=Trouble.MALFORMED)),
    (HttpProcessingError, Failure(trouble=Trouble.MALFORMED)),
)


def failure_of(error: BaseException) -> Failure:
    """Return the failure an exception stands for."""
    return next(failure for kind, failure in _TROUBLES if isinstance(error, kind))
