"""The conversation: what is sent to a model and what comes back.

Neutral and immutable. A wire in `providers` turns these into one vendor's JSON
and back; the loop only appends. What a vendor needs back verbatim (thinking
signatures, encrypted reasoning) travels in `data`, beside the name of the `wire`
that produced it: every other wire drops it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from .values import Value, field

PDF = "application/pdf"
Role = Literal["user", "assistant", "tool"]


class Text(Value):
    """Text of the user or the model."""

    text: str


class File(Value):
    """A file with a prompt, or in the result of a call: an image, a PDF, or text.

    As a part of a message it is an image or a PDF: text becomes part of the prompt.

    `sha256` is the digest of `content`; a session saves the content under this name.
    """

    name: str
    media_type: str
    sha256: str
    content: bytes = field(repr=False, hash=False)

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> File:
        """Return a file with this content."""
        from hashlib import sha256

        return cls(name, media_type, sha256(content).hexdigest(), content)

    @property
    def is_image(self) -> bool:
        """Whether it is an image and not a document."""
        return self.media_type.startswith("image/")

    @property
    def is_text(self) -> bool:
        """Whether it is text, which any model can read."""
        return not self.is_image and self.media_type != PDF

    @property
    def text(self) -> str:
        """The text of a file that is text; it is UTF-8."""
        return self.content.decode("utf-8", "replace").removeprefix("\ufeff")

    @property
    def facts(self) -> dict[str, Any]:
        """What events say of it."""
        size = len(self.content)
        told = {"name": self.name, "mediaType": self.media_type}
        return {**told, "bytes": size, "sha256": self.sha256}

    def __str__(self) -> str:
        return f"{self.name} ({self.media_type}, {len(self.content)} bytes)"


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
    """What the model is told about one call, and the files that it is shown."""

    call_id: str
    name: str
    output: str
    failed: bool = False
    provider_id: str = ""
    files: tuple[File, ...] = ()


Part = Text | File | Reasoning | ToolCall | ToolResult


class Message(Value):
    """One speaker's message; a `tool` message holds one turn's results in call order."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text of this message, without reasoning."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def files(self) -> tuple[File, ...]:
        """The files in this message, those of its tool results included."""
        found: list[File] = []
        for part in self.parts:
            if isinstance(part, File):
                found.append(part)
            elif isinstance(part, ToolResult):
                found.extend(part.files)
        return tuple(found)

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """The results in this message, in call order."""
        return tuple(part for part in self.parts if isinstance(part, ToolResult))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls in this message, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def prompt_message(text: str, files: Sequence[File]) -> Message:
    """Return a prompt with files: images and PDFs before it, the text of others after it."""
    shown = [file for file in files if not file.is_text]
    quoted = [framed("attachment", file.text, name=file.name) for file in files if file.is_text]
    return Message("user", (*shown, Text("\n\n".join((text, *quoted)))))


def framed(tag: str, content: str, **about: str) -> str:
    """Return a text of others between tags, with what is said `about` it, for the model.

    A text that holds the closing tag itself is put between tags with its own digest in their
    name, so that none of it can seem to stand outside.
    """
    name = tag
    # Most texts show at once that they do not.
    if f"/{tag}" in content.lower().replace(" ", ""):
        from hashlib import sha256

        name = f"{tag}-{sha256(content.encode(errors='replace')).hexdigest()[:8]}"
    words = [f'{key}="{_one_word(value)}"' for key, value in about.items()]
    return f"<{' '.join((name, *words))}>\n{content}\n</{name}>"


def _one_word(value: str) -> str:
    """Return a value that cannot leave its quotation marks."""
    return "".join(one if one.isprintable() and one not in '"<>' else "_" for one in value)


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
