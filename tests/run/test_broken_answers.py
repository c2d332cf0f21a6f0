"""Answers with status 200 that are none: each ends typed, in bounded time and bounded memory."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import zlib
from itertools import repeat
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.run import Result
from ..support.sockets import Answer, Asked, RawServer, answering, repeating, response

MEMORY_LIMIT = 300 * 1024  # KiB, as the kernel counts it
#: Runs a command in a child of its own and writes the child's peak memory to a file. A small
#: parent, because the kernel counts what a child shares with its parent before its exec.
MEASURE = """
import os, sys
child = os.fork()
if not child:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
os._exit(os.waitstatus_to_exitcode(status) % 256)
"""

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Hotel</body></html>\n"
ONE_EVENT = b"data: " + b"x" * (1 << 20)
HEAD = response(b"")


def run_against(a3s: Bench, answer: Answer, *flags: str, wire: str = "openai-chat") -> Result:
    """Run against a server that always answers so; hold the peak memory against its limit."""
    peak = a3s.root / "peak"
    with RawServer(answer) as server:
        (a3s.work / "c.acl").write_text(wires.config(wire, server.url))
        command = [sys.executable, "-m", "a3s_cli", "run", "--config", "c.acl", "-m", "test/m-1"]
        measure = [sys.executable, "-I", "-S", "-c", MEASURE, str(peak)]
        command = [*measure, *command, "--max-retries", "0", *flags, "go"]
        result = a3s.start(command, None, "whole", True).finish()
        assert len(server.requests) == 1
    assert int(peak.read_text()) < MEMORY_LIMIT, f"{peak.read_text()} KiB"
    return result


def _zipped(data: bytes) -> bytes:
    return response(gzip.compress(data), content_encoding="gzip")


BODIES: dict[str, tuple[bytes, str, str]] = {
    "html": (response(HTML, content_type="text/html"), "invalid_response", "Sign in"),
    "html that says it is a stream": (response(HTML), "invalid_response", "Sign in"),
    "plain text": (response(b"try later\n", content_type="text/plain"), "invalid_response", "try"),
    "a whole JSON answer": (
        response(b'{"choices": [{"message": {"content": "hi"}}]}', content_type="application/json"),
        "invalid_response",
        "",
    ),
    "a JSON error": (
        response(b'{"error": {"message": "Overloaded", "type": "overloaded_error"}}'),
        "overloaded",
        "Overloaded",
    ),
    "latin-1": (response('data: {"e": "é"}\n\n'.encode("latin-1")), "truncated_stream", ""),
    "no bytes of text": (response(bytes(range(256)) * 64), "invalid_response", ""),
    "gzip of a cut stream": (
        _zipped(wires.text("openai-chat", "hello").replace(b"data: [DONE]\n\n", b"")[:-200]),
        "truncated_stream",
        "",
    ),
    "gzip that is none": (response(HTML, content_encoding="gzip"), "invalid_response", ""),
    "brotli, not asked for": (
        response(b"\x8b\x03\x80hello\x03", content_encoding="br"),
        "invalid_response",
        "",
    ),
    "nothing": (response(b""), "truncated_stream", ""),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_answer(a3s: Bench, name: str) -> None:
    data, code, words = BODIES[name]
    result = run_against(a3s, answering(data))
    assert (result.last["type"], result.last["code"]) == ("error", code), result.last
    assert words in result.last["error"]
    assert "end" not in result.types and "tool_start" not in result.types


def test_a_stream_under_a_wrong_content_type_is_still_a_stream(a3s: Bench) -> None:
    data = response(wires.text("openai-chat", "hello"), content_type="application/octet-stream")
    assert run_against(a3s, answering(data)).text == "hello"


def test_invalid_utf8_inside_text_is_replaced(a3s: Bench) -> None:
    data = wires.text("openai-chat", "one-two").replace(b"one-two", b"one\xff\xed\xa0\x80two")
    text = run_against(a3s, answering(response(data))).text
    assert text.startswith("one\ufffd") and text.endswith("\ufffdtwo")


def test_gzip_that_nobody_asked_for_is_understood(a3s: Bench) -> None:
    assert run_against(a3s, answering(_zipped(wires.text("openai-chat", "hello")))).text == "hello"


def test_gzip_that_is_cut(a3s: Bench) -> None:
    data = gzip.compress(wires.text("openai-chat", "hello" * 10_000), 0)
    half = response(data[: len(data) // 2], content_encoding="gzip")
    result = run_against(a3s, answering(half))
    assert (result.last["code"], result.status) == ("truncated_stream", 75)


SMALL_EVENTS = b'data: {"choices": []}\n\n' * 43690


@pytest.mark.parametrize(
    ("megabyte", "code"),
    [(ONE_EVENT, "invalid_response"), (SMALL_EVENTS, "truncated_stream")],
    ids=["one event", "many events"],
)
def test_gzip_that_is_a_bomb(a3s: Bench, megabyte: bytes, code: str) -> None:
    """Sixty kilobytes that become 60 MB of one event, or of many."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join([*map(pack.compress, repeat(megabyte, 60)), pack.flush()])
    result = run_against(a3s, answering(response(data, content_encoding="gzip")))
    assert result.last["code"] == code


@pytest.mark.parametrize("wire", wires.NAMES)
def test_one_event_of_100_mb(a3s: Bench, wire: str) -> None:
    result = run_against(a3s, repeating(HEAD + b"data: ", b"x" * (1 << 16)), wire=wire)
    assert (result.last["code"], result.status) == ("invalid_response", 1)
    assert "16 MiB" in result.last["error"]


@pytest.mark.parametrize("comment", [b": still here\n\n", b": still here\n", b"event: ping\n\n"])
def test_comments_without_end(a3s: Bench, comment: bytes) -> None:
    result = run_against(a3s, repeating(HEAD, comment * 5000))
    assert (result.last["code"], result.status) == ("invalid_response", 1)


def test_the_largest_event_that_is_allowed(a3s: Bench) -> None:
    words = "word " * (3 * 1024 * 1024)
    result = run_against(a3s, answering(response(wires.text("openai-chat", words))))
    assert result.last["textBytes"] == len(words)
    assert "".join(event["text"] for event in result.of("text_delta")) == words


def _slowly(data: bytes) -> Answer:
    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(HEAD)
        connection.settimeout(0.5)
        for byte in data:
            connection.sendall(bytes([byte]))
            try:
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                pass

    return answer


def test_a_byte_at_a_time_is_ended_by_the_deadline(a3s: Bench) -> None:
    slowly = _slowly(wires.text("openai-chat", "hello"))
    result = run_against(a3s, slowly, "--timeout", "2s", "--idle-timeout", "60s")
    assert (result.last["code"], result.status) == ("timeout", 124)


def test_comments_do_not_count_as_silence_but_the_deadline_does(a3s: Bench) -> None:
    result = run_against(a3s, _slowly(b": ping\n\n" * 50), "--timeout", "2s")
    assert (result.last["code"], result.status) == ("timeout", 124)


NO_HTTP: dict[str, bytes] = {
    "another protocol": b"220 mail.example ESMTP\r\n",
    "one long line": b"\x01" * 70_000 + b"\r\n\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"\x7f" * 60_000 + b"\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200_000,
    "nothing": b"",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "a body that is too short": b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\ndata: {}\n\n",
}


@pytest.mark.parametrize("name", NO_HTTP)
def test_a_server_that_does_not_speak_http(a3s: Bench, name: str) -> None:
    result = run_against(a3s, answering(NO_HTTP[name]))
    assert result.last["code"] in ("network", "truncated_stream"), result.last
    assert result.status == 75
    assert len(result.last["error"]) < 1000


def test_an_error_page_of_100_mb(a3s: Bench) -> None:
    head = response(b"", 500, content_type="text/html", content_encoding="identity")
    result = run_against(a3s, repeating(head, HTML * 700))
    assert (result.last["code"], result.last["status"]) == ("overloaded", 500)
    assert len(result.last["error"]) < 4000


def test_a_page_without_end_inside_an_error_says_only_its_beginning(a3s: Bench) -> None:
    value: Any = {"error": {"message": "no " * 100_000}}
    result = run_against(a3s, answering(response(json.dumps(value).encode(), 400)))
    assert result.last["code"] == "provider_error" and len(result.last["error"]) < 4000
