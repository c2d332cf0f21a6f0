"""Versions 5, 6 and 7 of the AI SDK read every recorded stream, and read the same.

They get it as a slow run over a bad connection would bring it: heartbeats between
the frames, and seven bytes at a time.
"""

from __future__ import annotations

from typing import Any

from a3s_cli.serve import ai_sdk
from a3s_cli.serve.follow import COMMENT

from ..protocols import Json, ui_message
from ..streams import recorded
from .node import client


def _theirs(part: Json) -> Json:
    """What counts of a part as a client keeps it, in the words of `protocols`."""
    kind = part["type"]
    if kind in ("text", "reasoning"):
        assert part["state"] == "done", part
        return {"type": kind, "text": part["text"]}
    if kind.startswith("data-"):
        return {"type": kind.removeprefix("data-"), "id": part["id"], "data": part["data"]}
    if kind == "step-start":
        return {"type": "step"}
    states = {"output-available": "done", "output-error": "failed"}
    assert kind == "dynamic-tool" and not part.get("preliminary"), part
    return {
        "type": "call",
        "id": part["toolCallId"],
        "name": part["toolName"],
        "state": states[part["state"]],
        "input": part.get("input"),
        "output": part.get("output"),
        "error": part.get("errorText"),
    }


def _ours(part: Json) -> Json:
    if part["type"] != "call":
        return part
    names = ("type", "id", "name", "state", "input", "output", "error")
    return {name: part.get(name) for name in names}


def test_every_version_reads_every_stream() -> None:
    streams = {}
    expected: dict[str, Any] = {}
    for name, events in recorded().items():
        stream = ai_sdk.UIMessageStream()
        data = b"".join(map(stream.feed, events))
        message = ui_message(data)
        if message["parts"][-1] == {"type": "step"}:
            message["parts"].pop()  # nothing is in it, and no client shows it yet
        last = message["last"]
        streams[name] = data.decode().replace("\n\n", "\n\n" + COMMENT.decode())
        expected[name] = {
            "parts": [_ours(part) for part in message["parts"]],
            "errors": [last["errorText"]] if last["type"] == "error" else [],
        }
    told = client("ui_readers.mjs", streams)
    assert told.keys() == {"ai5", "ai6", "ai"}
    for seen in told.values():
        for one in seen.values():
            one["parts"] = [_theirs(part) for part in one["parts"]]
        assert seen == expected
