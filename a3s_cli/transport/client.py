"""What every request needs: a client for its server, and words for its failure."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from .. import __version__
from ..config.base_urls import is_loopback
from ..errors import A3SError, ConfigError, NetworkError, ProviderError

CONNECT_TIMEOUT = 30.0
#: Bytes that are passed on at once: what was compressed may come out a thousand times as large.
PIECE = 256 * 1024
#: Characters of a host's name that are shown: no real one is longer.
HOST_LIMIT = 253


class BrokenResponse(NetworkError):
    """The connection was lost after the response had begun."""


def new_client(url: str) -> httpx.AsyncClient:
    """Give a client for this URL's server: TLS and a proxy only where they are needed."""
    verify, proxy = trusted() if url.startswith("https:") else False, proxy_for(url)
    try:
        return httpx.AsyncClient(
            verify=verify,
            proxy=proxy,
            trust_env=False,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            headers={"user-agent": f"a3s/{__version__}", "accept-encoding": "identity"},
        )
    except ImportError:
        raise ConfigError(
            "a SOCKS proxy needs the package socksio",
            hint="pip install socksio, or name an HTTP proxy",
        ) from None
    except (httpx.InvalidURL, ValueError):
        # What httpx says of it may hold the proxy's password.
        raise ConfigError(
            "the address of the proxy in the environment cannot be used",
            hint="expected http://HOST:PORT in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY",
        ) from None


def trusted() -> ssl.SSLContext:
    """Give what certificates are checked with; the environment may name more of them."""
    try:
        return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise ConfigError(
            f"{variable}: no certificates could be read from {os.environ.get(variable)}:"
            f" {cause(error)}"
        ) from None


@lru_cache(maxsize=4)
def _trusted(_file: str | None, _directory: str | None) -> ssl.SSLContext:
    # Reading them takes 26 ms and most of a megabyte: many runs of one process share them.
    return httpx.create_ssl_context()


def proxy_for(url: str) -> str | None:
    """Give the proxy of the environment for this URL; loopback is never behind one.

    The one that is used and not, as httpx does, all that are set: a SOCKS proxy
    for other programs, or an IPv6 network in NO_PROXY, would fail the run.
    """
    if is_loopback(url):
        return None
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def unreachable(url: str, error: httpx.HTTPError) -> A3SError:
    """Say why a server did not answer."""
    if isinstance(error, httpx.ConnectTimeout):
        return NetworkError(f"could not connect to {host(url)} within {CONNECT_TIMEOUT:g} s")
    if isinstance(error, httpx.ProxyError):
        return NetworkError(f"the proxy did not connect to {host(url)}: {error}")
    if isinstance(error, httpx.ConnectError):
        proxy = proxy_for(url)
        through = f" through the proxy {host(proxy)}" if proxy else ""
        return NetworkError(f"could not connect to {host(url)}{through}: {cause(error)}")
    if isinstance(error, httpx.UnsupportedProtocol):
        return ProviderError(f"{url} has no scheme that a3s speaks: http or https")
    return NetworkError(f"{host(url)} broke off before answering: {cause(error)}")


def cause(error: BaseException) -> str:
    """Give the innermost reason: httpx's own words for a refused connection say nothing."""
    reason: Any = error
    seen = [reason]
    while (reason := reason.__cause__ or reason.__context__) and reason not in seen:
        seen.append(reason)
    for one in reversed(seen):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed: {one.reason or str(one)}"
        if isinstance(one, OSError) and isinstance(one.errno, int) and one.errno > 0:
            return os.strerror(one.errno)
        if isinstance(one, OSError) and one.strerror:
            return str(one.strerror)
    return str(error) or type(error).__name__


def host(url: str) -> str:
    """Give a URL's host and port, without what may be a secret."""
    return (urlsplit(url).netloc.rpartition("@")[2] or url)[:HOST_LIMIT]
