"""Servers that no HTTP library would let us write: raw bytes, TLS, proxies; a thread a connection.

`server.Server` plays a script of replies. Here a function gets the connection
and the request and writes what it likes, so a test can be a proxy, a machine
that redirects, or one that never ends its answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import socket
import ssl
import struct
import subprocess  # noqa: TID251 - openssl makes the certificates
import termios
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

#: More than any test needs: a server that is told to go on for ever stops here.
PLENTY = 160 * 1024 * 1024
#: The first byte of a client that speaks TLS to a server that does not.
TLS_HANDSHAKE = 0x16


@dataclass(frozen=True)
class Asked:
    """One request as it came: its first line, its headers, and the bytes of its body."""

    line: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[socket.socket, Asked], None]


class RawServer:
    """Hands each connection's request to `answer`, and closes the connection after it."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Asked] = []
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that goes away, or does not trust our certificate, is what a test may want.
        with (
            contextlib.suppress(OSError),
            self._tls.wrap_socket(connection, True) if self._tls else connection as secured,
        ):
            asked = read_request(secured)
            if asked is not None:
                self.requests.append(asked)
                self._answer(secured, asked)


def read_request(connection: socket.socket) -> Asked | None:
    """Read one request; None if the client went away before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
        if data[0] == TLS_HANDSHAKE:
            return Asked("a TLS handshake", {}, data)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(1 << 20)
        if not piece:
            return None
        body += piece
    return Asked(line, headers, body)


def response(body: bytes, status: int = 200, **headers: str) -> bytes:
    """Return a response that ends with the connection, as in HTTP/1.0."""
    fields = {"content-type": "text/event-stream", "connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answering(data: bytes) -> Answer:
    """Return an answer that is always these bytes."""
    return lambda connection, _: connection.sendall(data)


def resetting(data: bytes) -> Answer:
    """Return an answer that ends with a connection reset, after all of it was delivered."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(data)
        # A reset throws away what the other side's buffer has had no room for.
        while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))):
            time.sleep(0.001)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


def repeating(head: bytes, piece: bytes) -> Answer:
    """Return an answer that lasts as long as the client, or for `PLENTY` bytes."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(head)
        for _number in range(PLENTY // len(piece)):
            connection.sendall(piece)

    return answer


@dataclass(frozen=True)
class Authority:
    """An untrusted certificate authority, and a server certificate of it."""

    certificate: Path
    context: ssl.SSLContext


def authority(directory: Path, *names: str) -> Authority:
    """Make a certificate for these names (`DNS:…`, `IP:…`), or skip the test."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    root, leaf = directory / "root.pem", directory / "leaf.pem"

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)

    def request(path: Path, name: str, *more: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        out = ["-keyout", str(path.with_suffix(".key")), "-out", str(path), "-subj", f"/CN={name}"]
        openssl("req", "-x509", "-days", "2", *key, *out, *more)

    request(root, "A test authority")
    alternatives = f"subjectAltName={','.join(names)}"
    signer = ["-CA", str(root), "-CAkey", str(root.with_suffix(".key"))]
    extensions = ["-addext", alternatives, "-addext", "basicConstraints=critical,CA:FALSE"]
    request(leaf, "A test server", *signer, *extensions)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(leaf, leaf.with_suffix(".key"))
    return Authority(root, context)
