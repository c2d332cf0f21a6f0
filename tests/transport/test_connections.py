"""The connection to a model's server: kept from turn to turn, and never trusted to be there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.run import Result
from ..support.sockets import Asked, RawServer, read_request

CALL = wires.call("openai-chat", "ls", {})
ANSWER = wires.text("openai-chat", "done")
Serve = Callable[[socket.socket], bool]


def chunked(body: bytes, *, pieces: int = 3, trailer: bytes = b"") -> bytes:
    """A whole response whose connection stays open."""
    size = len(body) // pieces + 1
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    return head + b"\r\n" + coded + b"0\r\n" + trailer + b"\r\n"


def sized(body: bytes) -> bytes:
    """A whole response that says how long it is."""
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Kept:
    """A server that answers request after request on one connection, as `answers` say."""

    def __init__(self, *answers: bytes, hang_up_after: int | None = None) -> None:
        self.connections = 0
        self.asked: list[Asked] = []
        self._answers = list(answers)
        self._hang_up_after = hang_up_after
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket, asked: Asked | None) -> None:
        self.connections += 1
        while asked is not None:
            with self._lock:
                self.asked.append(asked)
                answer = self._answers.pop(0)
            connection.sendall(answer)
            if len(self.asked) == self._hang_up_after:
                return
            asked = read_request(connection)


def run_at(a3s: Bench, kept: Kept) -> Result:
    with RawServer(kept) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        return a3s("run", "-m", "openai/x", "--max-retries", "0", "go", env=env)


@pytest.mark.parametrize("whole", [chunked, sized])
def test_one_connection_serves_every_turn(a3s: Bench, whole: Callable[[bytes], bytes]) -> None:
    kept = Kept(whole(CALL), whole(CALL), whole(ANSWER))
    result = run_at(a3s, kept)
    assert (result.text, result.last["turns"]) == ("done", 3)
    assert (kept.connections, len(kept.asked)) == (1, 3)


def test_a_server_that_hangs_up_between_turns_is_asked_anew(a3s: Bench) -> None:
    """The connection was idle: nothing is lost, so nothing is told."""
    kept = Kept(chunked(CALL), chunked(ANSWER), hang_up_after=1)
    result = run_at(a3s, kept)
    assert result.text == "done" and "retry" not in result.types
    assert kept.connections == 2


def test_a_server_that_says_it_will_hang_up_is_believed(a3s: Bench) -> None:
    closing = sized(CALL).replace(b"OK\r\n", b"OK\r\nconnection: close\r\n")
    kept = Kept(closing, sized(ANSWER))
    assert run_at(a3s, kept).text == "done"
    assert kept.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + sized(ANSWER),
        chunked(ANSWER, trailer=b"x-trailer: 1\r\n"),
        chunked(ANSWER, pieces=len(ANSWER)),
        sized(ANSWER).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["informational", "trailer", "byte by byte", "1.0"],
)
def test_what_http_allows(a3s: Bench, answer: bytes) -> None:
    assert run_at(a3s, Kept(answer)).text == "done"


def test_what_is_asked(a3s: Bench) -> None:
    kept = Kept(chunked(ANSWER))
    run_at(a3s, kept)
    (asked,) = kept.asked
    assert asked.line == "POST /v1/chat/completions HTTP/1.1"
    assert set(asked.headers) == {
        "host", "user-agent", "accept-encoding", "content-length", "content-type", "authorization",
        "accept",
    }  # fmt: skip
    assert asked.headers["accept-encoding"] == "identity"


def test_a_refusal_before_the_request_was_read_is_told(a3s: Bench) -> None:
    """A proxy that finds the body too large answers and hangs up with the request unread."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")

    with RawServer(answer) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        result = a3s("run", "-m", "openai/x", "x" * 100_000, env=env)
    assert (result.last["code"], result.last["status"]) == ("provider_error", 413)


def test_a_path_that_is_not_ascii(a3s: Bench) -> None:
    kept = Kept(sized(ANSWER))
    with RawServer(kept) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/müller/v1"}
        assert a3s("run", "-m", "openai/x", "go", env=env).text == "done"
    assert kept.asked[0].line == "POST /m%C3%BCller/v1/chat/completions HTTP/1.1"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_an_address_of_ipv6(a3s: Bench) -> None:
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with listener:
        thread = threading.Thread(target=_answer_once, args=(listener,), daemon=True)
        thread.start()
        env = {"OPENAI_BASE_URL": f"http://[::1]:{listener.getsockname()[1]}/v1"}
        assert a3s("run", "-m", "openai/x", "go", env=env).text == "done"
        thread.join(10)


def _answer_once(listener: socket.socket) -> None:
    listener.settimeout(30)
    connection, _ = listener.accept()
    with connection:
        if read_request(connection):
            connection.sendall(sized(ANSWER))


FAREWELL = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("unasked", [FAREWELL, sized(wires.text("openai-chat", "stale"))])
@pytest.mark.parametrize("hangs_up", [True, False])
def test_what_nobody_asked_for_is_no_answer(a3s: Bench, unasked: bytes, hangs_up: bool) -> None:
    """Many a proxy says goodbye to an idle connection, with a 408."""
    asked: list[Asked] = []

    def answer(connection: socket.socket, first: Asked) -> None:
        asked.append(first)
        if len(asked) > 1:
            connection.sendall(sized(ANSWER))
            return
        connection.sendall(sized(wires.call("openai-chat", "bash", {"command": "sleep 0.6"})))
        threading.Event().wait(0.2)
        connection.sendall(unasked)
        if not hangs_up:
            read_request(connection)

    with RawServer(answer) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        words = ("-m", "openai/x", "--max-retries", "0", "--allow", "bash", "go")
        assert a3s("run", *words, env=env).text == "done"
    assert len(asked) == 2


@pytest.mark.parametrize("stays", [0.05, 30])
def test_a_refusal_is_told_while_the_request_is_not_taken(a3s: Bench, stays: float) -> None:
    """More than any buffer holds: the server reads none of it, and hangs up or does not."""
    refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge"
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(refusal)
            over.wait(stays)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    (a3s.work / "prompt").write_text("x " * 4_000_000)
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"}
    with listener:
        words = ("-m", "openai/x", "--max-retries", "0", "-f", "prompt")
        result = a3s("run", *words, env=env, timeout=20)
        over.set()
        thread.join(10)
    assert (result.last["code"], result.last["status"]) == ("provider_error", 413)


def test_nobody_waits_for_more_than_the_usage_behind_an_answer(a3s: Bench) -> None:
    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + ANSWER)
        for _second in range(40):
            threading.Event().wait(0.5)
            connection.sendall(b": still here\n\n")

    with RawServer(answer) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        result = a3s("run", "-m", "openai/x", "go", env=env)
    assert result.text == "done" and result.last["durationMs"] < 8000


@pytest.mark.parametrize(
    "sent", [b"HTTP/1.1 200 OK\r\ncontent-ty", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_half_a_head_is_not_waited_for_for_ever(a3s: Bench, sent: bytes) -> None:
    """Also where the first byte may take as long as it likes, on loopback."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(sent)
        connection.recv(1)

    with RawServer(answer) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        words = ("-m", "openai/x", "--max-retries", "0", "--idle-timeout", "1", "go")
        result = a3s("run", *words, env=env)
    assert (result.last["code"], result.status) == ("provider_timeout", 75)
    assert "was silent for 1 s in the middle of its answer" in result.last["error"]
