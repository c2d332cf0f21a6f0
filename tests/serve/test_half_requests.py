"""Clients that begin a request and fall silent, and an address that commands could read."""

from __future__ import annotations

import contextlib
import os
import socket

from a3s_cli.serve.connections import HEAD

from ..support.a3s import Bench
from ..support.replies import text
from .serving import HANG, Host

HALVES = [
    b"",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000,
]


def test_half_requests_are_closed_and_others_are_served(host: Host) -> None:
    serving = host.serve([text("ok")])
    silent = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(60)]
    try:
        for number, one in enumerate(silent):
            one.sendall(HALVES[number % len(HALVES)])
        assert serving.ask("go")
        for one in silent:
            one.settimeout(HEAD + HANG)
            with contextlib.suppress(ConnectionResetError):
                assert one.recv(1) == b""
        descriptors = os.listdir(f"/proc/{serving.run.pid}/fd")
        assert len(descriptors) < len(silent)
    finally:
        for one in silent:
            one.close()


def test_a_request_in_pieces_is_served(host: Host) -> None:
    serving = host.serve([])
    with socket.create_connection(("127.0.0.1", serving.port)) as client:
        client.settimeout(HANG)
        for _ in range(2):  # on one connection
            head = f"GET /api/models HTTP/1.1\r\nHost: 127.0.0.1:{serving.port}\r\n"
            for piece in (head, f"Authorization: Bearer {serving.token}\r\n", "\r\n"):
                client.sendall(piece.encode())
            answer = b""
            while not answer.endswith(b"]"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_the_address_does_not_go_where_commands_can_read_it(a3s: Bench) -> None:
    result = a3s.shell("exec a3s serve --port 0 > address", script=[]).finish(HANG)
    assert result.exit_status == 2
    assert b"in the workspace" in result.stderr
    assert (a3s.work / "address").read_bytes() == b""


def test_a_body_that_is_no_http_is_answered_once(host: Host) -> None:
    """By one refusal, and nothing is written on stderr but that there was such a request."""
    serving = host.serve([])
    for path in ("/api/chat", "/nowhere"):
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{serving.port}\r\n"
        head += f"Authorization: Bearer {serving.token}\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", serving.port)) as client:
            client.settimeout(HANG)
            client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n".encode())
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1") == 1
    assert serving.client.get("/api/models").status_code == 200
    assert b"Traceback" not in serving.run._err
