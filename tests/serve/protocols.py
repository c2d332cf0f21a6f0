"""What a strict client makes of the adapters' streams, written down a second time.

`ui_message` and `chat_message` read the bytes as the AI SDK and the OpenAI SDKs
do, and refuse what those would choke on, or would wait for in vain.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

_CALL = {"toolCallId": str, "toolName": str, "providerExecuted": bool, "dynamic": bool}
_RESULT = {"toolCallId": str, "providerExecuted": bool, "dynamic": bool}
#: type -> (required fields, optional fields); the types that versions 5 to 7 of `ai` know.
CHUNKS: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "start": ({"messageId": str, "messageMetadata": dict}, {}),
    "start-step": ({}, {}),
    "finish-step": ({}, {}),
    "finish": ({"finishReason": str, "messageMetadata": dict}, {}),
    "error": ({"errorText": str}, {}),
    "abort": ({"reason": str}, {}),
    **{
        f"{kind}-{edge}": ({"id": str}, {})
        for kind in ("text", "reasoning")
        for edge in ("start", "end")
    },
    **{f"{kind}-delta": ({"id": str, "delta": str}, {}) for kind in ("text", "reasoning")},
    "tool-input-start": (_CALL, {}),
    "tool-input-delta": ({"toolCallId": str, "inputTextDelta": str}, {}),
    "tool-input-available": ({**_CALL, "input": dict}, {}),
    "tool-input-error": ({**_CALL, "input": object, "errorText": str}, {}),
    "tool-output-available": ({**_RESULT, "output": dict}, {"preliminary": bool}),
    "tool-output-error": ({**_RESULT, "errorText": str}, {}),
    "data-object": ({"id": str, "data": dict}, {}),
    "data-permission": ({"id": str, "data": dict}, {}),
    "data-notice": ({"data": dict, "transient": bool}, {}),
    "data-retry": ({"data": dict, "transient": bool}, {}),
}


def frames(data: bytes) -> list[str]:
    """Return the payloads of a stream that has only `data:` lines, one per frame."""
    assert data.endswith(b"\n\n"), data[-100:]
    found = []
    for frame in data.decode().removesuffix("\n\n").split("\n\n"):
        assert frame.startswith("data: ") and "\n" not in frame and "\r" not in frame, frame
        found.append(frame.removeprefix("data: "))
    return found


def parsed(data: bytes) -> list[Json]:
    """Return the chunks of a whole stream, which ends with the protocol's end marker."""
    *chunks, last = frames(data)
    assert last == "[DONE]", last
    return [json.loads(chunk) for chunk in chunks]


def ui_message(data: bytes) -> Json:
    """Return the message that `useChat` assembles: its parts, and how it ended."""
    chunks = parsed(data)
    assert [chunk["type"] for chunk in chunks[:1]] == ["start"]
    assert [c["type"] in ("finish", "error", "abort") for c in chunks] == (
        [False] * (len(chunks) - 1) + [True]
    ), "something stands behind the end, or there is none"
    reader = _Message()
    for chunk in chunks:
        _check_shape(chunk)
        reader.take(chunk)
    return {
        "id": chunks[0]["messageId"],
        "parts": reader.parts,
        "asides": reader.asides,
        "last": chunks[-1],
    }


def _check_shape(chunk: Json) -> None:
    assert chunk["type"] in CHUNKS, f"a client ends the stream at {chunk['type']}"
    required, optional = CHUNKS[chunk["type"]]
    fields = {name: value for name, value in chunk.items() if name != "type"}
    assert required.keys() <= fields.keys() <= required.keys() | optional.keys(), chunk
    for name, value in fields.items():
        kind = {**required, **optional}[name]
        assert isinstance(value, kind), f"{name} of {chunk}"


class _Message:
    """The parts of a message, kept as the client keeps them."""

    def __init__(self) -> None:
        self.parts: list[Json] = []
        self.asides: list[Json] = []
        self._open: dict[str, Json] = {}
        self._used: set[str] = set()
        self._in_step = False

    def take(self, chunk: Json) -> None:
        kind, _, what = chunk["type"].partition("-")
        if chunk["type"] in ("finish", "error", "abort"):
            assert not self._open and not self._in_step, f"left open: {self._open}"
            streaming = [one for one in self.parts if one.get("state") in ("input", "preliminary")]
            assert streaming == [], f"without a result: {streaming}"
        elif kind in ("text", "reasoning"):
            self._text(kind, what, chunk)
        elif kind == "tool":
            assert self._in_step, f"outside of a step: {chunk}"
            self._call(what, chunk)
        elif kind == "data":
            self._data(chunk)
        elif chunk["type"] == "start-step":
            assert not self._in_step
            self._in_step = True
            self.parts.append({"type": "step"})
        elif chunk["type"] == "finish-step":
            assert self._in_step and not self._open
            self._in_step = False

    def _text(self, kind: str, what: str, chunk: Json) -> None:
        if what == "start":
            assert self._in_step and not self._open, "parts overlap"
            assert chunk["id"] not in self._used
            self._used.add(chunk["id"])
            self._open[chunk["id"]] = {"type": kind, "text": ""}
            self.parts.append(self._open[chunk["id"]])
        elif what == "delta":
            self._open[chunk["id"]]["text"] += chunk["delta"]
        else:
            assert self._open.pop(chunk["id"])["text"], "an empty part"

    def _call(self, what: str, chunk: Json) -> None:
        assert not self._open, "a call inside of a text"
        tool_id = chunk["toolCallId"]
        part = self._find("call", tool_id)
        if what.startswith("input"):
            if part is None:
                assert what != "input-delta", "a delta of nothing"
                part = {"type": "call", "id": tool_id, "name": chunk["toolName"]}
                self.parts.append(part)
            assert part.get("state", "input") == "input", f"asked for twice: {chunk}"
            if what == "input-delta":
                part["streamed"] = part.get("streamed", "") + chunk["inputTextDelta"]
                return
            part["state"] = "failed" if what == "input-error" else "input"
            part |= {"input": chunk["input"]} if "input" in chunk else {}
        else:
            assert part is not None, f"a result of nothing: {chunk}"
            assert part["state"] in ("input", "preliminary"), f"a second result: {chunk}"
            part["output"] = chunk.get("output")
            part["state"] = "preliminary" if chunk.get("preliminary") else "done"
            if what == "output-error":
                part["state"] = "failed"
        if "errorText" in chunk:
            part["error"] = chunk["errorText"]

    def _data(self, chunk: Json) -> None:
        name = chunk["type"].removeprefix("data-")
        if chunk.get("transient"):
            self.asides.append({"type": name, **chunk["data"]})
        elif part := self._find(name, chunk["id"]):
            part["data"] = chunk["data"]
        else:
            self.parts.append({"type": name, "id": chunk["id"], "data": chunk["data"]})

    def _find(self, kind: str, name: str) -> Json | None:
        found = [one for one in self.parts if (one["type"], one.get("id")) == (kind, name)]
        return found[0] if found else None


def chat_message(data: bytes) -> Json:
    """Return what an OpenAI SDK has assembled at the end of a stream."""
    chunks = parsed(data)
    if "error" in chunks[-1]:
        return {**_folded(chunks[:-1]), **chunks[-1]}
    assert chunks, "an empty stream"
    return _folded(chunks)


def _folded(chunks: list[Json]) -> Json:
    said: Json = {}
    finished, usage = None, None
    shared = {(c["id"], c["object"], c["created"], c["model"]) for c in chunks}
    assert len(shared) <= 1, shared
    for number, chunk in enumerate(chunks):
        assert chunk["object"] == "chat.completion.chunk"
        usage = chunk.get("usage")
        if not chunk["choices"]:
            assert finished and number == len(chunks) - 1 and "usage" in chunk
            continue
        (choice,) = chunk["choices"]
        assert choice.keys() == {"index", "delta", "finish_reason"} and choice["index"] == 0
        assert finished is None, "something stands behind the end"
        finished = choice["finish_reason"]
        delta = choice["delta"]
        assert delta.keys() <= {"role", "content", "reasoning_content"}, delta
        assert ("role" in delta) == (number == 0), "the role comes first, and once"
        for name, text in delta.items():
            said[name] = said.get(name, "") + text
    return {"message": said, "finish_reason": finished, "usage": usage}
