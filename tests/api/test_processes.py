"""The library in processes of others: interrupted, killed, and beside a web server's own work."""

from __future__ import annotations

import json
import signal
import subprocess  # noqa: TID251 - the test starts the host
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..support import descriptors, processes
from ..support.replies import Reply, bash, stall, text
from .conftest import Library

HEAD = """
import asyncio, json, os, signal, sys, threading
from a3s_cli import Agent, PermissionPolicy, SessionOptions
allowed = PermissionPolicy(default_decision="allow")
options = SessionOptions(model="openai/test-model", permission_policy=allowed, sandbox="off")
session = Agent.create().session(".", options)
def say(**told):
    print(json.dumps(told), flush=True)
"""


class Host:
    """A host process that uses the library."""

    def __init__(self, library: Library, script: list[Reply], program: str) -> None:
        library.serve(script)
        environment = library.bench.environment(library.server)
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        # Its own mark is not the children's: what it leaves behind is found by where it works.
        self.process = subprocess.Popen(
            [sys.executable, "-c", HEAD + textwrap.dedent(program)],
            cwd=library.work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def said(self) -> Any:
        assert self.process.stdout
        line = b""
        # Byte by byte: what is behind the line is for `finish`.
        while not line.endswith(b"\n"):
            read = descriptors.piece(self.process.stdout.fileno(), 1)
            assert read, self.process.communicate(timeout=10)[1].decode()
            line += read
        return json.loads(line)

    def finish(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), err.decode()


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    begun: list[Host] = []
    yield begun
    for host in begun:
        if host.process.poll() is None:
            host.process.kill()
        host.process.communicate(timeout=30)


PLAIN = """
try:
    for event in session.stream("go"):
        if event.type in ("tool_start", "text_delta"):
            say(type=event.type)
except KeyboardInterrupt:
    say(type="interrupted", threads=[one.name for one in threading.enumerate()])
    result = session.send("and now?")
    say(text=result.text)
"""
ASYNC = """
async def main():
    async for event in session.stream("go"):
        if event.type in ("tool_start", "text_delta"):
            say(type=event.type)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    say(type="interrupted", threads=[one.name for one in threading.enumerate()])
    say(text=asyncio.run(session.asend("and now?")).text)
"""


#: What the next prompt is told of the one that Ctrl-C ended.
REMEMBERED = {
    "tool": [
        ("assistant", "<bash>"),
        (
            "tool",
            "[interrupted: the run ended before this call was finished; it may have had effects]",
        ),
        ("assistant", "[There was no answer: the reader of the stream went away]"),
    ],
    "stream": [
        ("assistant", "half\n\n[This answer was cut: the reader of the stream went away]"),
    ],
}


@pytest.mark.parametrize("program", [PLAIN, ASYNC], ids=["plain", "async"])
@pytest.mark.parametrize("phase", ["tool", "stream"])
def test_control_c(library: Library, hosts: list[Host], program: str, phase: str) -> None:
    sleeper = processes.sleeper()
    first = bash(sleeper) if phase == "tool" else stall("half")
    host = Host(library, [first, text("still here")], program)
    hosts.append(host)
    host.said()
    if phase == "tool":
        library.wait_for_process(sleeper)
    host.process.send_signal(signal.SIGINT)
    told = host.said()
    assert told["type"] == "interrupted"
    assert [name for name in told["threads"] if name.startswith("a3s")] == []
    assert processes.survivors(sleeper) == []
    assert host.said() == {"text": "still here"}
    assert host.finish() == (0, "", "")
    assert library.asked(2) == [("user", "go"), *REMEMBERED[phase], ("user", "and now?")]


@pytest.mark.parametrize("how", ["kill -9", "os._exit", "sys.exit"])
def test_a_host_that_goes_leaves_no_orphan(library: Library, hosts: list[Host], how: str) -> None:
    sleeper = processes.sleeper()
    program = """
    for event in session.stream("go"):
        if event.type == "tool_output_delta":
            say(type="ready")
            HOW
    """
    leave = {"kill -9": "pass", "os._exit": "os._exit(0)", "sys.exit": "sys.exit(0)"}[how]
    host = Host(
        library,
        [bash(f"trap '' TERM; echo; setsid {sleeper} & {sleeper}")],
        program.replace("HOW", leave),
    )
    hosts.append(host)
    host.said()
    if how == "kill -9":
        library.wait_for_process(sleeper)
        host.process.kill()
    host.finish()
    assert processes.wait_until_gone(sleeper, 10) == []


def test_a_tool_that_never_returns_does_not_hold_the_interpreter(
    library: Library, hosts: list[Host]
) -> None:
    program = """
    from a3s_cli import tool
    @tool
    def weather(city: str = "") -> str:
        say(type="stuck")
        threading.Event().wait()
    options.tools = [weather]
    session = Agent.create().session(".", options)
    for event in session.stream("go"):
        if event.type == "tool_start":
            break
    say(type="out")
    """
    from ..support.replies import call

    host = Host(library, [call("weather", {})], program)
    hosts.append(host)
    assert host.finish()[0] == 0


def test_however_few_descriptors_there_are_a_run_ends(library: Library, hosts: list[Host]) -> None:
    """It may fail in any way, but its reader is never left waiting."""
    program = """
    import resource
    options.max_retries = 0
    session = Agent.create().session(".", options)
    session.send("go")
    used, (_, hard) = len(os.listdir("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)
    ended = []
    for spare in (0, 1, 2, 3, 4, 5, 6, 40):
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
        try:
            ended.append(session.send("go").text)
        except Exception as failure:
            ended.append("failed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say(ended=ended, last=session.send("go").text)
    """
    host = Host(library, [text("yes")] * 10, program)
    hosts.append(host)
    told = host.said()
    assert (set(told["ended"]), len(told["ended"])) == ({"failed", "yes"}, 8)
    assert told["ended"][-1] == told["last"] == "yes" and host.finish()[0] == 0


GUEST = """
import logging, subprocess, time, ctypes
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

def state():
    libc, flag = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(37, ctypes.byref(flag), 0, 0, 0)  # PR_GET_CHILD_SUBREAPER
    handlers = {n: str(signal.getsignal(n)) for n in signal.valid_signals()}
    return {
        "handlers": handlers, "subreaper": flag.value, "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "logging": [str(logging.root.handlers), logging.root.level],
        "policy": str(type(asyncio.get_event_loop_policy())),
    }

async def stream(request):
    before = state()
    # Children of the host's own: one that has ended before we began, and one that ends meanwhile.
    ended = subprocess.Popen(["sh", "-c", "exit 7"])
    meanwhile = subprocess.Popen(["sh", "-c", "sleep 0.3; exit 9"])
    other = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.2; exit 5")
    async def lines():
        async with session.stream("go") as events:
            async for event in events:
                yield event.to_bytes()
        plain = await asyncio.to_thread(lambda: [event.type for event in session.stream("again")])
        statuses = [ended.wait(), await asyncio.to_thread(meanwhile.wait), await other.wait()]
        yield json.dumps({"same": before == state(), "statuses": statuses, "plain": plain}).encode()
    return StreamingResponse(lines(), media_type="application/x-ndjson")

app = Starlette(routes=[Route("/", stream)])
config = uvicorn.Config(app, port=0, loop="LOOP", log_level="error")
server = uvicorn.Server(config)
async def main():
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    say(port=server.servers[0].sockets[0].getsockname()[1])
    await task
if "LOOP" == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_good_guest(library: Library, hosts: list[Host], loop: str) -> None:
    import http.client

    program = GUEST.replace("LOOP", loop)
    host = Host(
        library, [bash("echo hi; exit 3"), text("done"), bash("echo a"), text("b")], program
    )
    hosts.append(host)
    connection = http.client.HTTPConnection("127.0.0.1", host.said()["port"], timeout=60)
    connection.request("GET", "/")
    *events, told = [json.loads(line) for line in connection.getresponse().read().splitlines()]
    connection.close()
    assert [event["type"] for event in events][-1] == "end"
    assert [event["exitCode"] for event in events if event["type"] == "tool_end"] == [3]
    assert told == {"same": True, "statuses": [7, 9, 5], "plain": told["plain"]}
    assert told["plain"][0] == "start" and told["plain"][-1] == "end"
    host.process.send_signal(signal.SIGTERM)
    host.finish()
