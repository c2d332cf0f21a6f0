"""What went wrong between us and a server, in words that name the host and the cause."""

from __future__ import annotations

import errno
import os
import re
import ssl
from typing import Any
from urllib.parse import urlsplit

from ..config.base_urls import is_loopback
from ..errors import NetworkError
from .proxies import proxy_for

#: Servers of models on this machine, by their usual port.
_STARTED_BY = {
    11434: "ollama serve",
    8000: "vllm serve MODEL",
    8080: "llama-server -m MODEL.gguf",
    1234: "lms server start",
}
#: Characters of a host's name that are shown: no real one is longer.
HOST_LIMIT = 253
#: Seconds that a connection may take to come about.
CONNECT_TIMEOUT = 30.0
#: Characters of a reason that are shown: it may quote what the server sent.
REASON_LIMIT = 200


class BrokenResponse(NetworkError):
    """The connection was lost after the response had begun."""


def connection_timed_out(url: str) -> NetworkError:
    """Return the error for a connection that was not accepted in time."""
    return NetworkError(f"could not connect to {host(url)} within {CONNECT_TIMEOUT:g} s")


def not_connected(url: str, error: BaseException) -> NetworkError:
    """Return the error for a connection that failed."""
    proxy = proxy_for(url)
    through = f" through the proxy {host(proxy)}" if proxy else ""
    reason = cause(error)
    if reason == os.strerror(errno.ECONNREFUSED) and not proxy and is_loopback(url):
        # The sentence of the first attempt says so: retries do not start a server.
        reason += "; is the server running?" + _start(url)
    failure = NetworkError(f"could not connect to {host(url)}{through}: {reason}")
    tls = _tls_failure(error)
    if tls is not None:
        # It would fail in the same way again.
        failure.resend = False
        failure.hint = "does the server speak TLS? If not, its URL begins with http://"
    if isinstance(tls, ssl.SSLCertVerificationError):
        failure.hint = (
            "if a proxy or a company's own authority signs the certificate, name the authority:"
            " export SSL_CERT_FILE=/path/to/ca.pem"
        )
    return failure


def _start(url: str) -> str:
    """Return how the server that has this port by default is started."""
    command = _STARTED_BY.get(urlsplit(url).port or 0)
    return f" To start it: {command}" if command else ""


def no_answer(url: str, error: BaseException) -> NetworkError:
    """Return the error for a server that was reached and did not answer."""
    return NetworkError(f"{host(url)} broke off before answering: {cause(error)}")


def broken(url: str, error: BaseException) -> BrokenResponse:
    """Return the error for a response that was interrupted."""
    return BrokenResponse(f"the connection to {host(url)} broke: {cause(error)}")


def cause(error: BaseException) -> str:
    """Return the innermost reason: what libraries say of a refused connection is no help."""
    reason: Any = error
    seen = [reason]
    while (reason := reason.__cause__ or reason.__context__) and reason not in seen:
        seen.append(reason)
    for one in reversed(seen):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed: {one.reason or str(one)}"
        if isinstance(one, OSError) and (number := _number(one)) > 0:
            return os.strerror(number)
        if isinstance(one, OSError) and one.strerror:
            return str(one.strerror)
    return str(error)[:REASON_LIMIT] or type(error).__name__


def _tls_failure(error: BaseException) -> ssl.SSLError | None:
    """Return the error of TLS that led to this one, unless it is a mere end of the connection."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        ended = isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        if isinstance(one, ssl.SSLError) and not ended:
            return one
        seen.append(one)
        one = one.__cause__ or one.__context__
    return None


def _number(error: OSError) -> int:
    """Return the errno; where asyncio tried several addresses it is only in the text."""
    if isinstance(error.errno, int):
        return error.errno
    found = re.search(r"\[Errno (\d+)\]", str(error))
    return int(found[1]) if found else 0


def host(url: str) -> str:
    """Return a URL's host and port, without what may be a secret."""
    return (urlsplit(url).netloc.rpartition("@")[2] or url)[:HOST_LIMIT]
