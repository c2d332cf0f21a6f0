"""Recorded responses of real vendors through whole runs: whole, and cut where it hurts.

The recordings are read in place and are no part of the project; where they are
absent, the tests are skipped. `--tools none` makes every recorded call an
unknown one, so that nothing that a stranger's model once asked for is executed.
A process of its own adds nothing to how a whole recording is understood: those
run inside this one. Every cut does so too, in providers/test_cut_streams: here
the binary is shown a sample of them.
"""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .support import inside, wires
from .support.a3s import Bench, proofs
from .support.corpus import ROOT, absent
from .support.replies import Pause, Reply, Wire, text
from .support.server import Server

WIRES: dict[str, Wire] = {"chat": "openai-chat", "messages": "anthropic"}


@cache
def _recordings() -> dict[str, dict[str, Any]]:
    index = ROOT / "sse/index.json"
    if not index.exists():
        return {}
    entries = json.loads(index.read_text())["entries"]
    return {entry["file"]: entry for entry in entries if entry["wire_api"] in WIRES}


def _cuts() -> list[tuple[str, int, str]]:
    path = ROOT / "sse_faults.json"
    if not path.exists():
        return []
    cuts = [
        (case["file"], cut["at"], cut["kind"])
        for case in json.loads(path.read_text())["cases"]
        for cut in case["cuts"]
        if case["file"] in _recordings()
    ]
    return random.Random(7).sample(cuts, min(proofs(8), len(cuts)))


def _whole() -> list[str]:
    names = sorted(
        name
        for name, entry in _recordings().items()
        if entry["expect"]["finish_reason"] and not entry["expect"]["error"]
    )
    return random.Random(7).sample(names, min(proofs(60), len(names)))


pytestmark = pytest.mark.skipif(not _recordings(), reason=absent("sse/index.json"))


def _shown(events: list[dict[str, Any]]) -> str:
    """The text of the first turn."""
    types = [event["type"] for event in events]
    return inside.said(events[: types.index("turn_end") if "turn_end" in types else None])


def _reply(name: str, size: int | None = None, ending: Any = "end") -> Reply:
    data = (ROOT / "sse" / name).read_bytes()[:size]
    # As a network delivers it: in pieces that respect nothing.
    pieces: list[Any] = [data[n : n + 1000] for n in range(0, len(data), 1000)]
    # A reset throws away what the other side has not read yet.
    return Reply((*pieces, Pause(0.1)) if ending == "reset" else tuple(pieces), ending=ending)


@pytest.mark.parametrize("name", _whole())
def test_a_recording(tmp_path: Path, name: str) -> None:
    entry = _recordings()[name]
    expect = entry["expect"]
    wire = WIRES[entry["wire_api"]]
    # What the vendor's own server executes is no call for us.
    asked = [call for call in expect["tool_calls"] if "server" not in call.get("kind", "")]
    calls = [call["name"] for call in asked]
    script = [_reply(name), text("done")] if calls else [_reply(name)]
    server = Server(script, wire, "repeat")
    try:
        events = inside.run(tmp_path, "test/m-1", wires.config(wire, server.url), tools="none")
    finally:
        server.close()
    if not entry["quirks"]:
        assert _shown(events) == expect["text"]
    if expect["finish_reason"] in ("length", "max_tokens"):
        assert events[-1]["code"] == "max_tokens"
    else:
        rejected = [event["toolName"] for event in events if event["type"] == "tool_rejected"]
        assert rejected[: len(calls)] == calls
    assert not any(event["type"] == "tool_start" for event in events)


@pytest.mark.parametrize(("name", "at", "kind"), _cuts())
@pytest.mark.parametrize("ending", ["end", "reset"])
def test_a_cut_recording_is_never_a_success(
    a3s: Bench, name: str, at: int, kind: str, ending: str
) -> None:
    entry = _recordings()[name]
    wire = WIRES[entry["wire_api"]]
    args = ("--allow-all", "--max-retries", "0", "go")
    result = a3s("run", *args, script=[_reply(name, at, ending)], wire=wire)
    assert result.status == 75 and result.last["retryable"], (kind, result.last)
    assert result.of("tool_start") == result.of("tool_rejected") == []
    shown = "".join(event["text"] for event in result.of("text_delta"))
    assert entry["expect"]["text"].startswith(shown.rstrip("\ufffd"))
