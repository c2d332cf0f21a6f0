"""Refuse a Ray cluster that works without a token, before it learns anything of a batch.

Anyone who can reach a cluster without a token can run programs on its nodes and read what
others run there. Ray demands a token only if it was started so, and it listens on every
interface of a machine, even if its nodes have a loopback address. So the head is first asked
something without a token. A host name is not looked up in the DNS to decide whether an
address belongs to this machine.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError, Unavailable, UsageError
from ..transport.strangers import answers_strangers

#: What the head tells only those whom it lets in.
NODES = "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo"
#: Seconds that a cluster has to answer at its port, and a port that may be open to others.
ANSWER, KNOCK = 5.0, 1.0
#: Where Ray looks for a token, besides what variables name.
TOKEN = ".ray/auth_token"
#: Addresses that are reserved for documentation. Connecting a datagram socket to one sends no
#: packet, but tells which address of this machine it would be sent from.
_RESERVED = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def place(address: str) -> tuple[str, int]:
    """Return host and port of an address. Raises UsageError."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(f"--on ray: {address!r} is no address; expected HOST:PORT")
    return host.strip("[]"), int(port)


def require_own_token(address: str) -> None:
    """Raise ConfigError if a cluster is not on loopback, and there is no token for it."""
    host, _ = place(address)
    if not (is_loopback(host) or has_token(os.environ)):
        raise _refusal(
            f"--on ray: there is no token for {address}, and everyone who reaches a cluster "
            "that asks for no token could run programs there"
        )


def require_token(address: str) -> None:
    """Ask a cluster's head something without a token.

    Raises Unavailable if nothing answers, ConfigError if the head answers without a token, or
    if it demands one and there is none here.
    """
    host, port = place(address)
    try:
        is_open = answers_strangers(host, port, NODES, ANSWER)
    except OSError as error:
        said = error.strerror or error
        raise Unavailable(f"no Ray cluster answers at {address}: {said}") from None
    if is_open and not (is_loopback(host) and _is_alone(port)):
        raise tokenless(f"the Ray cluster at {address}")
    if not (is_open or has_token(os.environ)):
        raise _refusal(f"the Ray cluster at {address} asks for a token, and there is none here")


def tokenless(who: str) -> ConfigError:
    """Return what is wrong with a cluster or a node that lets in everyone."""
    return _refusal(f"{who} asks for no token: everyone who reaches it could run programs there")


def _refusal(said: str) -> ConfigError:
    return ConfigError(
        said,
        hint="umask 077; ray get-auth-token --generate; copy ~/.ray/auth_token to every node, "
        "and set RAY_AUTH_MODE=token where its nodes and this command are started",
    )


def has_token(environment: Mapping[str, str]) -> bool:
    """Tell whether Ray will present a token, and so demand one."""
    if environment.get("RAY_AUTH_MODE", "").lower() != "token":
        return False
    named = environment.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else Path.home() / TOKEN
    return bool(environment.get("RAY_AUTH_TOKEN")) or path.is_file()


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's loopback; a name that is looked up is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_alone(port: int) -> bool:
    """Tell whether a port of this machine is closed to other machines."""
    for family, reserved in _RESERVED:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.connect((reserved, 9))
                ours = way.getsockname()[0]
            socket.create_connection((ours, port), KNOCK).close()
        except OSError:
            continue
        return False
    return True
