"""What the model of the benchmarks answers, rendered once, in the four protocols.

An answer is a number of short words, each in a delta of its own, and then the
mark, a word that nothing else on a program's stdout contains: a program that shows it
has shown the whole answer, and if the answer is one word, the moment of its first
text is known without parsing the program's format. Adjacent words differ, because
some programs take repeated words for a model in a loop. The frames hold what the
strictest client requires.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

MARK = "marzipan"
#: Different words, of four characters each.
WORDS = tuple(f"{number:03x} " for number in range(4000))
#: Deltas in one chunk of HTTP: about what one network read of a fast server brings.
BLOCK = 400
GIVEN, MADE = 10, 5

#: Chunks, and how often they are to be sent.
Part = tuple[tuple[bytes, ...], int]


@dataclass(frozen=True)
class Scenario:
    """What the model does; it travels in the path of the base URL, so the server keeps no state."""

    words: int = 1
    #: Before the answer so many turns, each with one call of the tool.
    turns: int = 0
    tool: str = ""
    #: `{turn}` in its strings becomes the number of the turn.
    arguments: dict[str, Any] = field(default_factory=dict)

    def path(self) -> str:
        """Return the scenario as a segment of a path."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, segment: str) -> Scenario:
        """Read it from a segment of a path."""
        padded = segment + "=" * (-len(segment) % 4)
        return cls(**json.loads(base64.urlsafe_b64decode(padded)))

    def call(self, turn: int) -> dict[str, Any]:
        """Return the arguments of a turn's call."""
        numbered = json.dumps(self.arguments).replace("{turn}", str(turn))
        return dict(json.loads(numbered))


class Protocol:
    """How one vendor's streams look. `head`, then the deltas, then `tail`."""

    #: What the path of a request ends with.
    suffix: str
    #: What the body of a request has once for each finished call.
    result: bytes

    def head(self) -> bytes:
        return b""

    def delta(self, text: str) -> bytes:
        raise NotImplementedError

    def tail(self, text: str) -> bytes:
        """End an answer; `text` is all of it."""
        raise NotImplementedError

    def call(self, name: str, arguments: dict[str, Any], turn: int) -> bytes:
        """Return the body of a response that is one call."""
        raise NotImplementedError

    def answer(self, words: int) -> Iterator[Part]:
        """Return the body of a response of this many words, including the mark."""
        repeats, rest = divmod(words - 1, len(WORDS))
        deltas = [self.delta(word) for word in WORDS[: words - 1]]
        yield (self.head(),), 1
        yield _blocks(deltas), repeats
        yield _blocks([*deltas[:rest], self.delta(MARK)]), 1
        yield (self.tail("".join(WORDS) * repeats + "".join(WORDS[:rest]) + MARK),), 1


class Chat(Protocol):
    suffix = "/chat/completions"
    result = b'"tool_call_id"'

    def _chunk(self, delta: dict[str, Any], finish: str | None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return _data({**value, "choices": [choice], **more})

    def delta(self, text: str) -> bytes:
        return self._chunk({"content": text}, None)

    def _end(self, finish: str) -> bytes:
        usage = {"prompt_tokens": GIVEN, "completion_tokens": MADE, "total_tokens": GIVEN + MADE}
        return self._chunk({}, finish, usage=usage) + b"data: [DONE]\n\n"

    def tail(self, text: str) -> bytes:
        return self._end("stop")

    def call(self, name: str, arguments: dict[str, Any], turn: int) -> bytes:
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"index": 0, "id": f"call_{turn}", "type": "function", "function": function}
        delta = {"role": "assistant", "tool_calls": [call]}
        return self._chunk(delta, None) + self._end("tool_calls")


class Responses(Protocol):
    suffix = "/responses"
    result = b'"function_call_output"'

    def _event(self, kind: str, **fields: Any) -> bytes:
        kind = f"response.{kind}"
        return f"event: {kind}\n".encode() + _data({"type": kind, **fields})

    def _message(self, text: str | None) -> dict[str, Any]:
        content = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
        status = "in_progress" if text is None else "completed"
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": status}
        return {**item, "content": content}

    def _response(self, status: str, output: list[Any], **more: Any) -> dict[str, Any]:
        response: dict[str, Any] = {"id": "resp_1", "object": "response", "created_at": 1}
        return response | {"model": "m", "status": status, "output": output, **more}

    def _created(self) -> bytes:
        return self._event("created", response=self._response("in_progress", []))

    def _completed(self, item: dict[str, Any]) -> bytes:
        usage = {"input_tokens": GIVEN, "output_tokens": MADE, "total_tokens": GIVEN + MADE} | {
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        response = self._response("completed", [item], usage=usage)
        done = self._event("output_item.done", output_index=0, item=item)
        return done + self._event("completed", response=response)

    def head(self) -> bytes:
        item = self._message(None)
        added = self._event("output_item.added", output_index=0, item=item)
        part = {"type": "output_text", "text": "", "annotations": []}
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return self._created() + added + self._event("content_part.added", **where, part=part)

    def delta(self, text: str) -> bytes:
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return self._event("output_text.delta", **where, delta=text)

    def tail(self, text: str) -> bytes:
        return self._completed(self._message(text))

    def call(self, name: str, arguments: dict[str, Any], turn: int) -> bytes:
        item: dict[str, Any] = {
            "id": f"fc_{turn}",
            "type": "function_call",
            "call_id": f"call_{turn}",
        }
        item |= {"name": name, "arguments": "", "status": "in_progress"}
        added = self._event("output_item.added", output_index=0, item=item)
        whole = {**item, "arguments": json.dumps(arguments), "status": "completed"}
        delta = {"item_id": item["id"], "output_index": 0, "delta": whole["arguments"]}
        streamed = self._event("function_call_arguments.delta", **delta)
        return self._created() + added + streamed + self._completed(whole)


class Messages(Protocol):
    suffix = "/messages"
    result = b'"tool_use_id"'

    def _event(self, kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\n".encode() + _data({"type": kind, **fields})

    def _begin(self, block: dict[str, Any]) -> bytes:
        usage = {"input_tokens": GIVEN, "output_tokens": 1}
        message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant"}
        message |= {"model": "m", "content": [], "stop_reason": None, "stop_sequence": None}
        message["usage"] = usage
        start = self._event("message_start", message=message)
        return start + self._event("content_block_start", index=0, content_block=block)

    def _end(self, reason: str) -> bytes:
        delta = {"stop_reason": reason, "stop_sequence": None}
        stopped = self._event("content_block_stop", index=0)
        ended = self._event("message_delta", delta=delta, usage={"output_tokens": MADE})
        return stopped + ended + self._event("message_stop")

    def head(self) -> bytes:
        return self._begin({"type": "text", "text": ""})

    def delta(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return self._event("content_block_delta", index=0, delta=delta)

    def tail(self, text: str) -> bytes:
        return self._end("end_turn")

    def call(self, name: str, arguments: dict[str, Any], turn: int) -> bytes:
        block = {"type": "tool_use", "id": f"toolu_{turn}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
        said = self._event("content_block_delta", index=0, delta=delta)
        return self._begin(block) + said + self._end("tool_use")


class Gemini(Protocol):
    suffix = ":streamGenerateContent"
    result = b'"functionResponse"'

    def _chunk(self, part: dict[str, Any], **more: Any) -> bytes:
        candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, **more}
        usage = {"promptTokenCount": GIVEN, "candidatesTokenCount": MADE}
        usage["totalTokenCount"] = GIVEN + MADE
        return _data({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"})

    def delta(self, text: str) -> bytes:
        return self._chunk({"text": text})

    def tail(self, text: str) -> bytes:
        return self._chunk({"text": ""}, finishReason="STOP")

    def call(self, name: str, arguments: dict[str, Any], turn: int) -> bytes:
        call = {"functionCall": {"name": name, "args": arguments}}
        return self._chunk(call, finishReason="STOP")


PROTOCOLS: tuple[Protocol, ...] = (Chat(), Responses(), Messages(), Gemini())


def _blocks(deltas: list[bytes]) -> tuple[bytes, ...]:
    return tuple(b"".join(deltas[at : at + BLOCK]) for at in range(0, len(deltas), BLOCK))


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"
