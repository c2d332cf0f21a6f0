"""The client that the conformance suite is shown: `a3s run` with a model that calls every tool.

    python conformant.py URL

The suite appends the URL of its server and names the scenario in the environment. A
scripted model calls the scenario's tool, with the arguments that the scenario is about.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("A3S_PROOFS", "1")

from tests.support.a3s import Bench
from tests.support.replies import call, text

CALLS = {
    "initialize": [],
    "tools_call": [call("mcp__it__add_numbers", {"a": 5, "b": 3})],
    "sse-retry": [call("mcp__it__test_reconnection", {})],
}


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        servers = {"mcpServers": {"it": {"url": sys.argv[1]}}}
        config = bench.root / "servers.json"
        config.write_text(json.dumps(servers))
        script = [*CALLS[os.environ["MCP_CONFORMANCE_SCENARIO"]], text("done")]
        options = ["--mcp-config", str(config), "--allow", "mcp__it"]
        result = bench("run", "go", *options, script=script)
        bench.close()
        for event in result.of("tool_end"):
            print(event["toolOutput"])
        sys.exit(result.status)


main()
