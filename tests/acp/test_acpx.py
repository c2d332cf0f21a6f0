"""`acpx`, a client that runs without a screen: it drives the agent, and prints both directions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ..support.a3s import MODELS, Bench
from ..support.replies import bash, call, text

MODULES = Path(__file__).parent / "node_modules"
#: Far beyond anything but a hang.
SOON = 60.0

pytestmark = pytest.mark.skipif(
    not MODULES.is_dir(), reason="the packages of tests/acp/package.json, which .ci/run installs"
)


def acpx(a3s: Bench, script: list[Any], *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Have one prompt answered; return the exit status and every message."""
    server = a3s.serve(script)
    node, program = MODULES / "node/bin/node", MODULES / "acpx/dist/cli.js"
    command = [
        str(node), str(program), "--agent", f"{sys.executable} -m a3s_cli acp",
        "--format", "json", "--json-strict", *options, "exec", "Go.",
    ]  # fmt: skip
    env = {"A3S_MODEL": MODELS["openai-chat"]}
    result = a3s.start(command, server, "none", False, env=env).finish(SOON)
    lines = result.stdout.splitlines()
    return result.exit_status, [json.loads(line) for line in lines if line.strip()]


def updates(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["params"]["update"] for one in messages if one.get("method") == "session/update"]


def test_it_allows(a3s: Bench) -> None:
    write = {"file_path": "made", "content": "x\n"}
    script = [call("write", write, "c1"), bash("cat made; touch other", "c2"), text("Done.")]
    status, messages = acpx(a3s, script, "--approve-all")
    assert status == 0, messages
    assert (a3s.work / "made").read_text() == "x\n" and (a3s.work / "other").exists()
    said = "".join(
        one["content"]["text"]
        for one in updates(messages)
        if one["sessionUpdate"] == "agent_message_chunk"
    )
    assert said == "Done."
    # It offers its file system: the file was written by it.
    methods = [one.get("method") for one in messages]
    assert "fs/write_text_file" in methods and "session/request_permission" in methods


def test_it_denies(a3s: Bench) -> None:
    status, messages = acpx(a3s, [bash("touch made", "c1"), text("Pity.")], "--deny-all")
    assert not (a3s.work / "made").exists()
    ends = [one for one in updates(messages) if one.get("status") == "failed"]
    assert [one["toolCallId"] for one in ends] == ["c1"]
    assert status in (0, 5), messages  # 5: acpx's own word for a permission that was denied
