"""Which URLs may be fetched, and which addresses may be connected to.

A URL comes from a model that reads other people's pages, so it may be written
to reach what only this machine can reach: itself, its network, the metadata of
its cloud. Two readers of one URL could disagree about its host; here a URL is
read once, strictly, and what was read is what is judged and what is sent.

A name proves nothing: only the address that it resolves to can be judged, and
then that very address must be connected to. A few names are refused all the
same, because they can only mean a private network, and because behind a proxy
the address is not seen here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ..values import Value

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Address, IPv6Network

_URL = re.compile(
    r"(?P<scheme>[^:/?#]*):(?P<rest>//(?P<authority>[^/?#]*)(?P<path>[^#]*)(?:#.*)?)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
#: A last label that makes a name an address for those who read 0x7f.1 and 2130706433 as one.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 8192
_LONGEST_NAME = 253
#: Names that mean this machine or its own network wherever they resolve to.
_PRIVATE = re.compile(
    r"(?:.*\.)?(?:localhost|local|localdomain|internal|intranet|lan|corp|home|home\.arpa)"
    r"|(?:.*\.)?metadata\.goog"
)
_QUAD = re.compile(r"(?<![0-9])(?=([0-9]{1,3}(?:[.-][0-9]{1,3}){3})(?![0-9]))")


class Target(Value):
    """What a URL asks for. `host` is ASCII and lower case, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int
    #: The path and the query.
    path: str

    @property
    def url(self) -> str:
        """Return the canonical form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def literal(self) -> bool:
        """Whether the host is an address, not a name."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()


def parse(url: str) -> Target:
    """Read a URL; `ValueError` says what it must not be, as the rest of a sentence."""
    if len(url) > _LONGEST_URL:
        raise ValueError(f"it is longer than {_LONGEST_URL} characters")
    if any(letter <= " " or letter in "\\\x7f" or 0xD800 <= ord(letter) < 0xE000 for letter in url):
        raise ValueError("it holds a space, a backslash or a control character")
    match = _URL.fullmatch(url)
    scheme = match["scheme"].lower() if match else ""
    if match is None or match["rest"] is None or scheme not in _PORTS:
        raise ValueError("it does not begin with https:// or http://")
    if "@" in match["authority"]:
        raise ValueError("it contains a user name or a password")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise ValueError("its host cannot be read")
    port = _port(authority["port"]) if authority["port"] else _PORTS[scheme]
    path = match["path"] if match["path"].startswith("/") else "/" + match["path"]
    return Target(scheme, _host(authority["host"]), port, path)


def _port(digits: str) -> int:
    port = int(digits) if len(digits) <= 5 else 0
    # Below 1024, every port but these two belongs to another protocol.
    if port not in (80, 443) and port not in range(1024, 65536):
        raise ValueError(f"port {digits[:10]} is not a port of the web")
    return port


def _host(text: str) -> str:
    if text.startswith("["):
        return _literal(text[1:-1], 6)
    name = text.lower() if text.isascii() else _ascii(text)
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _literal(name, 4)
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("its host is not a valid name")
    if len(labels) == 1 or _PRIVATE.fullmatch(name):
        raise ValueError(f"{name} is a name of this machine or of a private network")
    return name


def _literal(text: str, version: int) -> str:
    from ipaddress import ip_address

    try:
        address = ip_address(text)
    except ValueError:
        address = None
    # A zone (fe80::1%eth0) belongs to this machine alone.
    if address is None or address.version != version or "%" in text:
        raise ValueError("its host is an IP address in an unusual form")
    return str(address)


def _ascii(name: str) -> str:
    """Return the ASCII form of an international name: the one that is looked up."""
    import idna

    try:
        if len(name) > _LONGEST_NAME:
            raise ValueError
        return idna.encode(name, uts46=True).decode().lower()
    except ValueError:
        raise ValueError("its host is not a valid international name") from None


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet's, also by way of a translator.

    What is not known to be public is not: the registries of reserved ranges grow.
    """
    from ipaddress import IPv6Address, ip_address

    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        return _is_public_6(ip)
    four, _ = _reserved()
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in four)


def _is_public_6(ip: IPv6Address) -> bool:
    from ipaddress import IPv4Address, ip_network

    inner = IPv4Address(int(ip) & 0xFFFFFFFF)
    # IPv4-mapped, and what a DNS64 makes of an IPv4 address where there is only IPv6.
    if ip.ipv4_mapped is not None or ip in ip_network("64:ff9b::/96"):
        return is_public(str(inner))
    _, six = _reserved()
    tunnelled = int(ip) >> 32 & 0xFDFFFFFF == 0x5EFE  # ISATAP
    return (
        ip in ip_network("2000::/3")
        and ip.is_global
        and not any(ip in network for network in six)
        and not (tunnelled and not is_public(str(inner)))
    )


@cache
def _reserved() -> tuple[tuple[IPv4Network, ...], tuple[IPv6Network, ...]]:
    """Return what some version of `ipaddress` takes for public, and is not."""
    from ipaddress import IPv4Network, IPv6Network

    four = (
        "192.0.0.0/24",  # protocol assignments, and the metadata of one cloud
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # Azure's platform, as seen from its machines
    )
    six = (
        "2001::/23",  # protocol assignments, among them Teredo, which holds an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
    return tuple(map(IPv4Network, four)), tuple(map(IPv6Network, six))


def names_private_address(host: str) -> bool:
    """Whether a name spells out an address that is not public, as 10.0.0.1.nip.io does.

    A guess, for where the name cannot be resolved here.
    """
    return any(not is_public(quad.replace("-", ".")) for quad in _QUAD.findall(host))
