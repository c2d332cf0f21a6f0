"""The conversation: what is sent to a model and what comes back.

Neutral and immutable. A wire in `providers` turns these into one vendor's JSON
and back; the loop only appends. What a vendor needs back verbatim (thinking
signatures, encrypted reasoning) travels in `data`, beside the name of the `wire`
that produced it: every other wire drops it.
"""

from __future__ import annotations

from typing import Any, Literal

from .values import Value, field

Role = Literal["user", "assistant", "tool"]


class Text(Value):
    """Text of the user or the model."""

    text: str


class Reasoning(Value):
    """The model's visible reasoning, which is never part of its answer.

    `data` is what the vendor needs back verbatim (a signature, an encrypted
    block): a JSON value that only the wire named by `wire` understands.
    """

    text: str = ""
    data: Any = None
    wire: str = ""


class ToolCall(Value):
    """A request of the model to call a tool.

    `id` is ours and unique within a session; `provider_id` is the vendor's own
    and is sent back to it. `arguments` is JSON text as the model wrote it, not
    yet parsed. `data` and `wire` are as in `Reasoning` (Gemini signs its calls).
    """

    id: str
    name: str
    arguments: str
    provider_id: str = ""
    data: Any = None
    wire: str = ""


class ToolResult(Value):
    """What the model is told about one call."""

    call_id: str
    name: str
    output: str
    failed: bool = False
    provider_id: str = ""


Part = Text | Reasoning | ToolCall | ToolResult


class Message(Value):
    """One speaker's message; a `tool` message holds one turn's results in call order."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text of this message, without reasoning."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls in this message, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class Usage(Value):
    """Tokens, as the provider counts and names them.

    Vendors disagree on whether cached input is part of the input and reasoning
    part of the output. Each figure is the vendor's own, so that it can be compared
    with the bill; `total_tokens` is the vendor's total, or the sum that its
    documentation defines.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.total_tokens + other.total_tokens,
        )


class ToolSpec(Value):
    """What a model is told about one tool; `parameters` is a JSON Schema.

    `harmless` and `writes` are the tool's own (`tool_protocol.Tool`); no vendor is sent them.
    """

    name: str
    description: str
    parameters: dict[str, Any] = field(hash=False)
    harmless: bool = False
    writes: bool = False
