"""URL patterns of permission rules: does this URL go where the pattern says?

Pattern and URL are taken apart and compared part by part, so that neither
user information, nor a port, nor a host that only begins or ends like the
right one can make one URL look like another. A URL that browsers and servers
read differently (a backslash, an encoded slash) has several readings: an
allowing rule must match all of them, a denying one any.
"""

from __future__ import annotations

import re

from ..values import Value
from .rule_pattern import matches

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_PORTS = {"http": "80", "https": "443"}
_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")


class Url(Value):
    """One reading of a URL: everything after the scheme and authority is `target`."""

    scheme: str
    host: str
    port: str
    target: str


def readings(url: str) -> tuple[tuple[Url, ...], bool]:
    """Read a URL in every way that a program might, and say whether it is unambiguous."""
    plain = url.strip()
    parts = _URL.fullmatch(plain.replace("\\", "/"))
    if parts is None:
        return (), False
    scheme = parts[1].lower()
    authority = parts[2]
    _, at, after = authority.rpartition("@")
    host, port = _host(after, scheme)
    path, query = parts[3] or "/", parts[4] or ""
    once = _dots(_UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path))
    fully = path
    for _ in range(8):
        fully = _ENCODED.sub(lambda found: chr(int(found[1], 16)), fully)
    fully = _dots(fully.replace("\\", "/"))
    clear = not at and "\\" not in url and not re.search("[\\s\x00-\x20\x7f]", url)
    clear = clear and re.fullmatch(r"[a-z0-9.:\[\]_-]+", host) is not None
    found = {Url(scheme, host, port, target + query) for target in (once, fully)}
    return tuple(found), clear


def _host(authority: str, scheme: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        host, port = authority, ""
    return host.lower().rstrip("."), port.lstrip("0") or _PORTS.get(scheme, "")


def _dots(path: str) -> str:
    parts: list[str] = []
    names = path.split("/")[1:]
    for index, name in enumerate(names):
        if name == "..":
            parts = parts[:-1]
        elif name != ".":
            parts.append(name)
            continue
        if index == len(names) - 1:
            parts.append("")
    return "/" + "/".join(parts)


def url_matches(pattern: str, url: str, *, strictly: bool) -> bool:
    """Match `https://host/path*`; without a scheme, http and https are meant.

    `*` in the host stands for anything but a slash, elsewhere for anything.
    `strictly`, as an allowing rule does: the URL must be unambiguous.
    """
    if pattern.strip("*") == "":
        return True
    found, clear = readings(url)
    if not found or (strictly and not clear):
        return False
    results = [_one(pattern, reading) for reading in found]
    return all(results) if strictly else any(results)


def _one(pattern: str, url: Url) -> bool:
    scheme, separator, rest = pattern.partition("://")
    if not separator:
        scheme, rest = "", pattern
    authority, slash, target = rest.partition("/")
    host, port = _host(authority, url.scheme)
    schemes = (scheme.lower(),) if scheme else ("http", "https")
    return (
        any(matches(each, url.scheme) for each in schemes)
        and matches(host, url.host)
        and matches(port, url.port)
        and matches(slash + target if slash else "/*", url.target)
    )
