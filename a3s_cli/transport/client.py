"""httpx, for what is not a request straight to a model: proxies, pages of the web."""

from __future__ import annotations

import httpx

from ..errors import A3SError, ConfigError, NetworkError, ProviderError
from ..version import __version__
from .faults import CONNECT_TIMEOUT, connection_timed_out, host, no_answer, not_connected
from .proxies import proxy_for
from .trust import trusted


def new_client(url: str) -> httpx.AsyncClient:
    """Return a client for this URL's server: TLS and a proxy only where needed."""
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


def unreachable(url: str, error: httpx.HTTPError) -> A3SError:
    """Return the error for a server that did not answer."""
    if isinstance(error, httpx.ConnectTimeout):
        return connection_timed_out(url)
    if isinstance(error, httpx.ProxyError):
        return NetworkError(f"the proxy did not connect to {host(url)}: {error}")
    if isinstance(error, httpx.ConnectError):
        return not_connected(url, error)
    if isinstance(error, httpx.UnsupportedProtocol):
        return ProviderError(f"{url} does not begin with http:// or https://")
    return no_answer(url, error)
