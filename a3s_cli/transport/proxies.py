"""Which proxy of the environment a URL is reached through.

The variables are read as curl reads them, and Python's own programs: `https_proxy`
for https URLs, `all_proxy` for what has none of its own, in small letters or large;
`no_proxy` names what is reached directly.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from ..config.base_urls import is_loopback
from ..errors import ConfigError

_SCHEMES = ("http", "https", "socks5", "socks5h")
_ADDRESS = r"(?:[^@/]*@)?(\[[0-9A-Fa-f:.%]+\]|[^\s:/@?#\[\]]+)(?::(\d{1,5}))?/?"


def proxy_for(url: str) -> str | None:
    """Return the proxy of the environment for this URL; loopback is never behind one.

    Only the variable that is used is looked at: a SOCKS proxy for other programs must
    not fail the run. Raises ConfigError where it is malformed.
    """
    if is_loopback(url) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    parts = urlsplit(url)
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            value = os.environ.get(variable, "").strip()
            if value:
                return (
                    None
                    if _is_exempt(parts.hostname or "", _port(url))
                    else _checked(variable, value)
                )
    return None


def _checked(variable: str, value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    match = re.fullmatch(_ADDRESS, rest)
    if scheme.lower() not in _SCHEMES or not match or int(match[2] or 1) not in range(1, 65536):
        # Not quoted: it may hold a password.
        raise ConfigError(
            f"{variable}: expected the address of a proxy, such as http://HOST:PORT",
            hint=f"schemes are {', '.join(_SCHEMES)}; unset {variable} to connect directly",
        )
    return f"{scheme.lower()}://{rest}"


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def _is_exempt(host: str, port: int | None) -> bool:
    """Return whether a host is to be reached directly.

    An entry is a domain, with all below it, or an address, or a network in CIDR; a port
    behind it restricts it. A single `*` is everything.
    """
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if listed.strip() == "*":
        return True
    host = host.rstrip(".").lower()
    for entry in re.split(r"[\s,]+", listed.lower()):
        name, only = _entry(entry)
        if name and (only is None or only == port) and _covers(name, host):
            return True
    return False


def _entry(entry: str) -> tuple[str, int | None]:
    """Split an entry into its name and its port."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](/\d+)?(?::(\d+))?", entry)
    if bracketed:
        return bracketed[1] + (bracketed[2] or ""), int(bracketed[3]) if bracketed[3] else None
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and ":" not in name:
        return name.strip("."), int(number)
    return entry.strip("."), None


def _covers(name: str, host: str) -> bool:
    name = name.removeprefix("*.")
    if host == name or host.endswith(f".{name}"):
        return True
    if "/" not in name and ":" not in name:
        return False
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
