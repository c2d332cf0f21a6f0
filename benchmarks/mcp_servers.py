"""Measure what MCP servers cost a run: the wait for the first text, and bytes of requests.

    python -m benchmarks.mcp_servers [ROUNDS]

The first figures are the time from `start` to the first text, without a server and with
one over stdio that answers at once, in turns; the second should be at most 60 ms later.
The others are for the five reference servers, as far as tests/mcp has them installed:
the first request and a run of ten turns, with all schemas declared and with schemas that
are loaded when they are needed. Four bytes are counted as a token.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("A3S_PROOFS", "1")
os.environ.setdefault("BENCH_SUITE", f"benchmarks-{os.getpid()}")

from tests.mcp.bench import Scripted, block
from tests.mcp.test_others import NODE, npm, pip
from tests.support.a3s import Bench
from tests.support.replies import call, text

TURNS = 10


def first_text(bench: Bench, *options: str) -> int:
    """Return the milliseconds from `start` to the first text."""
    events = bench("run", "hi", *options, script=[text("hello")]).events
    said = next(event for event in events if event["type"] == "text_delta")
    return int(said["ts"] - events[0]["ts"])


def waiting(rounds: int) -> None:
    """Print how much later the first text comes with a server."""
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        Scripted(bench).add("one", log="")
        without, beside = [], []
        for _ in range(rounds):
            without.append(first_text(bench, "--no-mcp"))
            beside.append(first_text(bench))
        bench.close()
    print(f"first text: {statistics.median(without):.0f} ms without a server", end=", ")
    print(f"{statistics.median(beside):.0f} ms with one (median of {rounds})")


def requests() -> None:
    """Print the size of the first request, and of those of a run together, both ways."""
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        subprocess.run(["git", "init", "-q"], cwd=bench.work, check=True)
        servers = {
            "git": [*pip("mcp-server-git"), "--repository", str(bench.work)],
            "time": pip("mcp-server-time"),
            "fetch": pip("mcp-server-fetch"),
        }
        if NODE.exists():
            servers["everything"] = npm("server-everything")
            servers["fs"] = [*npm("server-filesystem"), str(bench.work)]
        scripted = Scripted(bench)
        for server, argv in servers.items():
            scripted.write(block(server, argv))
        name = "mcp__time__get_current_time"
        now = call(name, {"timezone": "UTC"})
        script = [call("load_tools", {"names": [name]}), *[now] * (TURNS - 2), text("done")]
        result = bench("run", "hi", "--allow", "mcp__*", script=script)
        assert result.last["type"] == "end", result.last
        listed = [json.loads(bench("mcp", "tools", one, "--json").stdout) for one in servers]
        bench.close()
    lazy = [len(json.dumps(one.body)) for one in result.requests]
    declared = [one for one in result.requests[0].body["tools"] if _is_lazy(one)]
    full = [
        {"type": "function", "function": {key: tool[key] for key in KEYS}}
        for tools in listed
        for tool in tools
    ]
    # What is declared in full takes the place of the lines, and nothing has to be loaded.
    more = len(json.dumps(full)) - len(json.dumps(declared))
    told = len(json.dumps(result.of("tool_end")[0]["toolOutput"]))
    _print("lazy", lazy)
    _print("eager", [lazy[0] + more, *(size + more - told for size in lazy[1:])])
    print(f"{len(full)} tools of {len(servers)} servers")


KEYS = ("name", "description", "parameters")


def _is_lazy(tool: Any) -> bool:
    return tool["function"]["name"].startswith(("mcp__", "load_tools"))


def _print(kind: str, sizes: list[int]) -> None:
    print(f"{kind:5}  first request {sizes[0]:7,} bytes ({sizes[0] // 4:6,} tokens)", end=", ")
    print(f"{TURNS} turns {sum(sizes):9,} bytes ({sum(sizes) // 4:7,} tokens)")


def main() -> None:
    """Print the figures."""
    waiting(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    requests()


if __name__ == "__main__":
    main()
