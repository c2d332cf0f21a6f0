"""How a server begins and ends: its one line, its signals, its exit status."""

from __future__ import annotations

import re
import signal
import socket
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
import threading
import time
from pathlib import Path

import pytest

from a3s_cli.config.installation import how_to_add

from ..support import processes
from ..support.replies import bash, text
from .inside import request
from .serving import HANG, Host, Serving, lawful, wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_prints_one_line_and_dies_of_the_signal(host: Host, number: int) -> None:
    serving = host.serve([text("ok")])
    serving.ask("go")
    # Two hundred runs need more descriptors than a shell gives.
    limits = Path(f"/proc/{serving.run.pid}/limits").read_text()
    soft, hard = re.findall(r"^Max open files +(\d+) +(\d+)", limits, re.M)[0]
    assert int(soft) >= min(8192, int(hard))
    serving.run.signal(number)
    result = serving.run.finish(HANG)
    assert (result.exit_status, result.stderr) == (-number, b"")
    assert result.stdout == f"http://127.0.0.1:{serving.port}/?token={serving.token}\n".encode()
    assert len(serving.token) == 43


def is_leaving(serving: Serving) -> bool:
    """Whether a signal has arrived: then a busy session is not the reason any more."""
    late = serving.post("/api/chat", {"message": "late", "sessionId": "s"})
    told = late.status_code, late.json()["error"]["code"]
    assert told in ((409, "busy"), (503, "leaving"))
    return late.status_code == 503


def test_sigterm_lets_a_run_finish(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("a", gate, "b")])
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("text_delta")
        serving.run.signal(signal.SIGTERM)
        wait_until(lambda: is_leaving(serving))
        # A client that comes back finds it still running.
        with serving.events("s", frames[0].id) as again:
            assert again.take("text_delta") == frames[1:]
            gate.set()
            frames += list(stream)
            assert list(again)[-1] == frames[-1]
    assert lawful(frames)[-1]["text"] == "ab"
    assert serving.run.finish(HANG).exit_status == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cancels_at_once(host: Host, number: int) -> None:
    serving = host.serve([bash("echo up; sleep 600", "c1")], "--allow", "bash")
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("tool_output_delta")
        serving.run.signal(number)
        wait_until(lambda: is_leaving(serving))
        time.sleep(0.06)  # Two that come together are one key press.
        serving.run.signal(number)
        last = lawful(frames + list(stream))[-1]
    name = signal.Signals(number).name
    assert (last["code"], last["signal"], last["exitCode"]) == ("cancelled", name, 128 + number)
    assert serving.run.finish(HANG).exit_status == -number
    assert not processes.survivors(host.bench.mark)


def test_a_client_that_does_not_read_holds_up_no_end(host: Host) -> None:
    serving = host.serve([bash("seq 400000; sleep 600", "c1")], "--allow", "bash")
    with socket.create_connection(("127.0.0.1", serving.port)) as stalled:
        body = b'{"message":"go","sessionId":"s"}'
        lines = ["POST /api/chat HTTP/1.1", f"host: 127.0.0.1:{serving.port}"]
        lines += [f"authorization: Bearer {serving.token}", "content-type: application/json"]
        lines += [f"content-length: {len(body)}", "", ""]
        stalled.sendall("\r\n".join(lines).encode() + body)
        assert stalled.recv(16) == b"HTTP/1.1 200 OK\r"
        with serving.events("s") as stream:
            for frame in stream:
                if b"400000" in frame.data:
                    break
            serving.run.signal(signal.SIGTERM)
            wait_until(lambda: is_leaving(serving))
            time.sleep(0.06)
            serving.run.signal(signal.SIGTERM)
            assert list(stream)[-1].data.startswith(b'{"type":"error"')
        assert serving.run.finish(HANG).exit_status == -signal.SIGTERM


def test_a_signal_that_was_ignored_stays_ignored(host: Host) -> None:
    serving = host.serve([text("ok")], ignore=[signal.SIGHUP])
    serving.run.signal(signal.SIGHUP)
    assert serving.ask("go")[-1]["text"] == "ok"


def test_a_port_that_is_taken(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = host.bench("serve", "--port", str(port), "-m", "openai/x")
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr.decode() == (
        f"a3s: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        "hint: --port 0 picks a free port\n"
    )


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--host", ""], 2, "--host is empty"),
        (["--host", "no such host"], 2, "cannot listen on no such host port 0"),
        (["--host", "a\udcff"], 2, "it is not the name of a host"),
        (["--port", "70000"], 2, "--port"),
        (["-C", "/nowhere"], 2, "-C /nowhere: No such file or directory"),
        (["--allow", "bahs"], 2, "bahs"),
        (["--tools", "x"], 2, "there is no tool 'x'"),
        (["-m", "nobody/x"], 78, "nobody"),
        (["--config", "nothing.acl"], 78, "nothing.acl"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(
    host: Host, options: list[str], status: int, sentence: str
) -> None:
    result = host.bench("serve", "--port", "0", "-m", "openai/x", *options)
    assert (result.status, result.stdout) == (status, b"")
    assert sentence in result.stderr.decode() and result.stderr.count(b"\n") <= 2


def test_clients_that_stay_do_not_keep_it(host: Host) -> None:
    """One has not said all that it asks, one does not take what it has asked for."""
    serving = host.serve([text("x" * 12_000_000)])
    serving.ask("go", sessionId="s")
    unfinished = request(serving.port, serving.token, "/api/chat", {"message": "go"})[:-1]
    stalled = request(serving.port, serving.token, "/api/sessions/s/events")
    with (
        socket.create_connection(("127.0.0.1", serving.port), HANG) as one,
        socket.create_connection(("127.0.0.1", serving.port), HANG) as other,
    ):
        one.sendall(unfinished)
        other.sendall(stalled)
        assert other.recv(64)
        serving.run.signal(signal.SIGTERM)
        result = serving.run.finish(HANG)
    assert (result.exit_status, result.stderr) == (-signal.SIGTERM, b"")


def test_beyond_loopback_it_warns(host: Host) -> None:
    serving = host.serve([text("ok")], "--host", "0.0.0.0")
    assert serving.ask("go")[-1]["text"] == "ok"
    serving.run.signal(signal.SIGTERM)
    assert serving.run.finish(HANG).stderr.decode() == (
        "a3s: anyone who can reach 0.0.0.0 and has the token can run commands as you; the token "
        "is sent unencrypted\n"
    )


def test_open_gives_the_browser_an_address_that_works_once(host: Host) -> None:
    seen = host.bench.root / "seen"
    browser = host.bench.bin / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part && mv {seen}.part {seen}\n')
    browser.chmod(0o755)
    serving = host.serve([], "--open", env={"BROWSER": str(browser)})
    wait_until(seen.exists)
    address = seen.read_text()
    assert serving.token not in address and address.startswith(f"{serving.url}/?token=")
    ticket = address.rpartition("=")[2]
    first, second = (serving.client.get("/", params={"token": ticket}) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 401)
    assert serving.token in first.headers["set-cookie"]


def test_a_missing_extra_is_named(host: Host) -> None:
    script = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['a3s', 'serve'];"
        "from a3s_cli.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=host.bench.environment(None),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (
        2,
        "",
        f"a3s: serve needs uvicorn, which is not installed:  {how_to_add('serve')}\n",
    )


def test_the_token_may_be_chosen(host: Host) -> None:
    token = "correct-horse-battery"
    serving = host.serve([text("ok")], env={"A3S_SERVE_TOKEN": token})
    assert serving.token == token
    assert serving.ask("go")[-1]["text"] == "ok"
    for wrong in ("short", "with a blank in it", "ä" * 20):
        result = host.bench("serve", "--port", "0", env={"A3S_SERVE_TOKEN": wrong})
        assert (result.status, result.stderr.decode()) == (
            2,
            "a3s: A3S_SERVE_TOKEN is not a valid token: expected at least 16 letters, digits, "
            "'-' or '_'\n",
        )


def test_the_token_is_no_business_of_the_models(host: Host) -> None:
    """The token lets its holder approve calls: neither model nor stream ever sees it."""
    serving = host.serve([bash("cat address", "c1"), text("ok")], "--allow", "bash")
    (host.bench.work / "address").write_text(serving.address)
    events = serving.ask("go")
    (end,) = (one for one in events if one["type"] == "tool_end")
    assert end["toolOutput"] == f"{serving.url}/?token=[redacted:A3S_SERVE_TOKEN]"
    assert serving.token not in str(serving.model.requests[1].body)
