"""Normalizes base URLs to a form that a wire can append its path to.

People paste what they find: with or without `/v1`, with a trailing slash, or the
whole `…/chat/completions`. All of these mean the same server. The result has no
trailing slash and includes the version, if the protocol has one:

    https://api.openai.com, …/v1, …/v1/, …/v1/chat/completions  ->  https://api.openai.com/v1

URLs that must be wrong are rejected before a key is sent anywhere.
"""

from __future__ import annotations

import re

from ..values import Value
from .vendors import VENDORS

# Compiled on use: most runs need three of them.
_URL = (
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?"
)
_AUTHORITY = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
_BARE = (
    r"(?://)?(?P<host>localhost|(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3})"
    r"|(?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,12}|[a-z0-9-]{1,40}(?=:))"
    r"(?P<port>:[0-9]{1,5})?(?:/[a-z0-9/-]{0,40})?"
)
#: An Azure resource as its portal shows it; all have the same path to their OpenAI API.
_AZURE_ROOT = r"https://[^/]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com(?:/openai)?"

_DIGITS = "0123456789"

#: What a wire appends; a URL with such an ending is complete.
_ENDINGS = {
    "openai-chat": ("/chat/completions", "/responses"),
    "openai-responses": ("/responses", "/chat/completions"),
    "anthropic": ("/messages",),
    "gemini": (),
}
_VERSIONS = {"gemini": "/v1beta"}


class BaseUrl(Value):
    """A normalized base URL; every request appends `query` after `?`."""

    url: str
    query: str = ""


def normalise(text: str, wire: str) -> BaseUrl:
    """Return the normalized base URL. Raises ValueError, which says what was expected."""
    match = _check(text)
    root = f"{match['scheme'].lower()}://{match['authority'].lower()}"
    path = match["path"].rstrip("/")
    query = match["query"] or ""
    if wire == "gemini":
        path = path.partition("/models/")[0].removesuffix("/models")
    for ending in _ENDINGS[wire]:
        if path.endswith(ending):
            return BaseUrl(root + path.removesuffix(ending), query)
    return BaseUrl(_known(root + path, wire) or root + _versioned(path, wire), query)


def listening(text: str, port: int) -> str:
    """Return the base URL of a server that is named by where it listens, as `OLLAMA_HOST` does.

    A scheme and a port may be missing; an address that stands for every interface
    means this machine.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "http", text.strip()
    authority, slash, path = rest.partition("/")
    host, colon, number = authority.rpartition(":")
    if not colon or "]" in number:
        host, number = authority, ""
    if host in ("", "0.0.0.0", "[::]", "::"):
        host = "127.0.0.1"
    if not number:
        number = {"http": str(port), "https": "443"}.get(scheme, "") if not separator else ""
    return f"{scheme}://{host}{':' if number else ''}{number}{slash}{path}"


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine, by its spelling alone."""
    match = re.fullmatch(_URL, url)
    authority = re.fullmatch(_AUTHORITY, match["authority"].lower()) if match else None
    if authority is None:
        return False
    name: str = authority["host"]
    if name.startswith("["):
        return name.endswith("1]") and not name[1:-2].strip("0:")
    first, *others = name.split(".")
    if first == "127" and len(others) == 3:
        return all(one.isdigit() and len(one) <= 3 for one in others)
    return name.endswith(".localhost") or name == "localhost"


def host(url: str) -> str:
    """Return the host and port of a URL."""
    match = re.fullmatch(_URL, url)
    return match["authority"] if match else ""


def _check(text: str) -> re.Match[str]:
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValueError("a URL without spaces and line breaks")
    match = re.fullmatch(_URL, text)
    if match is None:
        raise ValueError(f"a URL that begins with https:// or http://{_corrected(text)}")
    if match["scheme"].lower() not in ("http", "https"):
        raise ValueError("a URL that begins with https:// or http://")
    if "@" in match["authority"]:
        raise ValueError("a URL without a user and a password (use apiKey or headers)")
    authority = re.fullmatch(_AUTHORITY, match["authority"])
    if authority is None or int(authority["port"] or 1) not in range(1, 65536):
        raise ValueError("a URL with a host, and a port from 1 to 65535 if any")
    if match["fragment"]:
        raise ValueError("a URL without '#'")
    return match


def _corrected(text: str) -> str:
    """Suggest the missing scheme, unless the text might be a misplaced secret."""
    bare = re.fullmatch(_BARE, text)
    if bare is None:
        return ""
    plain = bare["port"] or bare["address"] or bare["host"] == "localhost"
    return f": {'http' if plain else 'https'}://{text.removeprefix('//')}"


def _known(url: str, wire: str) -> str | None:
    """Complete a prefix of a vendor's own base URL from the table of vendors."""
    if wire.startswith("openai-") and ".azure.com" in url and re.fullmatch(_AZURE_ROOT, url):
        return url.removesuffix("/openai") + "/openai/v1"
    family = wire.partition("-")[0]
    for vendor in VENDORS.values():
        same = vendor.wire.partition("-")[0] == family and vendor.base_url
        if same and f"{vendor.base_url}/".startswith(f"{url}/"):
            return vendor.base_url
    return None


def _versioned(path: str, wire: str) -> str:
    """Append the version to a path without one."""
    segments = path.split("/")[1:]
    if wire == "anthropic":
        complete = any(map(_is_version, segments[-1:]))
    elif wire == "gemini":
        complete = any(map(_is_version, segments))
    else:
        # `/api` roots, Azure deployments and gateways have the version elsewhere, or none.
        complete = any(map(_is_version, segments)) or segments[:1] == ["api"]
        complete = complete or "deployments" in segments
    return path if complete else path + _VERSIONS.get(wire, "/v1")


def _is_version(segment: str) -> bool:
    """Whether a segment of a path is a version: `v1`, `v1beta`, `v1beta2`."""
    number, rest = segment[1:2], segment[1:].lstrip(_DIGITS).rstrip(_DIGITS)
    return segment[:1] == "v" and number in tuple(_DIGITS) and rest in ("", "alpha", "beta")
