"""Which proxy of the environment a URL is reached through."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ..config.base_urls import is_loopback


def proxy_for(url: str) -> str | None:
    """Return the proxy of the environment for this URL; loopback is never behind one.

    The one that is used and not, as httpx does, all that are set: a SOCKS proxy
    for other programs, or an IPv6 network in NO_PROXY, would fail the run.
    """
    if is_loopback(url) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Three times as slow to import as all that speaks HTTP here.
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
