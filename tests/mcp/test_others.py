"""Servers and a suite of other people: what they make of our client, and what it makes of them."""

from __future__ import annotations

import json
import socket
import subprocess  # noqa: TID251 - the suite starts what it tests
import sys
import time
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import a_call, call, calls, text
from .bench import Scripted, block

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = MODULES / "node/bin/node"

pytestmark = pytest.mark.timeout(240)
needs_node = pytest.mark.skipif(
    not NODE.exists(), reason="tests/mcp/node_modules is not installed: see .ci/run"
)


def npm(package: str) -> list[str]:
    return [str(NODE), str(MODULES / "@modelcontextprotocol" / package / "dist/index.js")]


def pip(program: str) -> list[str]:
    return [str(Path(sys.executable).with_name(program))]


@needs_node
@pytest.mark.parametrize("scenario", ["initialize", "tools_call", "sse-retry"])
def test_the_conformance_suite(scenario: str, tmp_path: Path) -> None:
    """All scenarios of clients but OAuth, which we lack, and elicitation, which we decline."""
    client = f"{sys.executable} {HERE / 'conformant.py'}"
    result = subprocess.run(
        [*npm("conformance"), "client", "--command", client, "--scenario", scenario],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert ", 0 failed" in result.stderr and "OVERALL: PASSED" in result.stderr


@needs_node
def test_everything(a3s: Bench, scripted: Scripted) -> None:
    """Progress, structured content, an image, roots and what the server sees of the environment."""
    scripted.write(block("all", npm("server-everything")))
    several = calls(
        a_call("mcp__all__get-sum", {"a": 2, "b": 40}, "sum"),
        a_call("mcp__all__trigger-long-running-operation", {"duration": 1, "steps": 2}, "long"),
        a_call("mcp__all__get-structured-content", {"location": "Chicago"}, "structured"),
        a_call("mcp__all__get-tiny-image", {}, "image"),
        a_call("mcp__all__get-env", {}, "env"),
    )
    result = a3s("run", "go", "--allow", "mcp__all", script=[several, text("ok")])
    assert "42" in result.one("tool_end", "sum")["toolOutput"]
    assert len(result.of("tool_output_delta", "long")) == 2
    assert result.one("tool_end", "structured")["structured"]["temperature"] > 0
    (image,) = result.one("tool_end", "image")["images"]
    assert image["mediaType"] == "image/png" and image["bytes"] > 1000
    environment = json.loads(result.one("tool_end", "env")["toolOutput"])
    assert environment["HOME"] == str(a3s.home)
    assert not [name for name in environment if "API_KEY" in name]


@needs_node
def test_filesystem(a3s: Bench, scripted: Scripted) -> None:
    """The workspace is the root that it asks us for."""
    (a3s.work / "notes.txt").write_text("remember the milk\n")
    scripted.write(block("fs", [*npm("server-filesystem"), str(a3s.work)]))
    script = [
        call("load_tools", {"names": ["mcp__fs__read_text_file"]}),
        call("mcp__fs__read_text_file", {"path": str(a3s.work / "notes.txt")}),
        call("mcp__fs__write_file", {"path": str(a3s.work / "new.txt"), "content": "x"}),
        call("mcp__fs__read_text_file", {"path": "/etc/passwd"}),
        text("ok"),
    ]
    result = a3s("run", "go", "--allow", "mcp__fs", script=script)
    loaded, read, wrote, outside = result.of("tool_end")
    assert json.loads(loaded["toolOutput"])["parameters"]["required"] == ["path"]
    assert "remember the milk" in read["toolOutput"]
    assert (a3s.work / "new.txt").read_text() == "x" and wrote["exitCode"] == 0
    assert outside["exitCode"] == 1


def test_git(a3s: Bench, scripted: Scripted) -> None:
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "the first one"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", *identity, *command], cwd=a3s.work, check=True)
    scripted.write(block("git", [*pip("mcp-server-git"), "--repository", "."], tools=["git_log"]))
    script = [call("mcp__git__git_log", {"repo_path": str(a3s.work)}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__git", script=script)
    assert "the first one" in result.one("tool_end")["toolOutput"]


def test_time(a3s: Bench, scripted: Scripted) -> None:
    scripted.write(block("time", pip("mcp-server-time")))
    arguments = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    script = [call("mcp__time__convert_time", arguments), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__time", script=script)
    assert "21:00" in result.one("tool_end")["toolOutput"]


def test_fetch(a3s: Bench, scripted: Scripted) -> None:
    """A page of a loopback server, which is the scripted model's, answering anything."""
    (a3s.work / "page.txt").write_text("a page for a server\n")
    web = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=a3s.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert web.stdout
        port = web.stdout.readline().split("port ")[1].split()[0]
        scripted.write(
            block("fetch", [*pip("mcp-server-fetch"), "--ignore-robots-txt", "--allow-private-ips"])
        )
        url = f"http://127.0.0.1:{port}/page.txt"
        script = [call("mcp__fetch__fetch", {"url": url, "raw": True}), text("ok")]
        result = a3s("run", "go", "--allow", "mcp__fetch", script=script)
        assert "a page for a server" in result.one("tool_end")["toolOutput"]
    finally:
        web.terminate()
        web.wait(10)


ORACLE = '''
import sys
from mcp.server import MCPServer

server = MCPServer("oracle")

@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b

server.run({how})
'''


def oracle(bench: Bench, how: str) -> str:
    path = bench.root / "oracle.py"
    path.write_text(ORACLE.format(how=how))
    return str(path)


def test_the_official_server_over_stdio(a3s: Bench, scripted: Scripted) -> None:
    scripted.write(block("it", [sys.executable, oracle(a3s, '"stdio"')]))
    result = a3s(
        "run",
        "go",
        "--allow",
        "mcp__it",
        script=[call("mcp__it__add", {"a": 1, "b": 2}), text("ok")],
    )
    ended = result.one("tool_end")
    assert (ended["toolOutput"], ended["structured"]) == ("3", {"result": 3})


@pytest.mark.parametrize("json_response", [True, False])
def test_the_official_server_over_http(a3s: Bench, scripted: Scripted, json_response: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    how = f'"streamable-http", host="127.0.0.1", port={port}, json_response={json_response}'
    server = subprocess.Popen(
        [sys.executable, oracle(a3s, how)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(port)
        scripted.write(f'mcp_servers "it" {{ url = "http://127.0.0.1:{port}/mcp" }}\n')
        script = [call("mcp__it__add", {"a": 1, "b": 2}), text("ok")]
        result = a3s("run", "go", "--allow", "mcp__it", script=script)
        ended = result.one("tool_end")
        assert (ended["toolOutput"], ended["structured"]) == ("3", {"result": 3})
    finally:
        server.terminate()
        server.wait(10)


def wait_for_port(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "the server did not come up"
            time.sleep(0.05)
        else:
            return
