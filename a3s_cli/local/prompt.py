"""What a small model must be told to be of use, and what it need not be told.

A model of one or two billion parameters follows examples, not instructions:
told of its tools alone it repeats calls or invents a syntax, after a dozen of
worked turns it does most small jobs. So a request for the embedded model is
rewritten: a system prompt of a few lines, short descriptions, and a made-up
conversation in front of the real one. All that never changes comes first, so
that its state can be kept (see `server`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence

from ..messages import Message, Text, ToolResult, ToolSpec
from ..model import Request
from ..values import replace
from . import tags
from .examples import EXAMPLES

SYSTEM = """\
You are a3s, a helpful assistant that works in the user's current directory with tools.
Use tools to look, change and run things; never guess what a file contains or what a command prints:
read a file before you change it.
Do only what was asked. When it is done, answer in a short sentence that states the facts found.
Answer questions that need no file and no command directly, without a tool."""

#: What the model is told of a tool: a sentence, and the parameters worth knowing.
#: Any other tool keeps its first sentence and what it requires.
TOOLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bash": ("Run a shell command: count, sum, copy, move, delete, append, run.", ("command",)),
    "read": ("Read a file.", ("file_path",)),
    "write": ("Create a new file.", ("file_path", "content")),
    "edit": (
        "Replace a text in a file by a new one.",
        ("file_path", "old_string", "new_string"),
    ),
    "grep": ("Find the lines that match a pattern.", ("pattern",)),
    "glob": ("Find files by name.", ("pattern",)),
    "ls": ("List a directory with the sizes.", ("path",)),
}


#: What the tools that search say of nothing.
_NOTHING = ("No matches.", "No files match ", "[0 entries]")
_ABSENT = re.compile(r"does not exist|no such file|cannot find|can't find", re.IGNORECASE)
#: Characters of one tool's result, and of what a user adds to the system prompt, that fit.
RESULT, ADDED = 4000, 3000
#: Characters of that for the project's own instructions.
INSTRUCTIONS = 2600


def shortened(spec: ToolSpec) -> ToolSpec:
    """Shorten the description and the schema of a tool."""
    required = spec.parameters.get("required", [])
    first = spec.description.split(". ")[0]
    description, known = TOOLS.get(spec.name, (first, tuple(required)))
    properties = tags.properties(spec)
    parameters = {
        "type": "object",
        "properties": {name: properties[name] for name in known if name in properties},
        "required": [name for name in required if name in known],
    }
    return replace(spec, description=description, parameters=parameters)


def beginning(tools: Sequence[ToolSpec]) -> tuple[str, list[Message]]:
    """Return the system prompt and the examples for these tools: how every request begins."""
    system = f"{SYSTEM}\n\n{tags.described(tools)}" if tools else SYSTEM
    return system, list(examples(tools))


def examples(tools: Sequence[ToolSpec]) -> Iterator[Message]:
    """Yield the example turns that need no other tool than these."""
    names = {tool.name for tool in tools}
    for question, steps, answer in EXAMPLES:
        if names.issuperset(step.tool for step in steps):
            yield said("user", question)
            for step in steps:
                yield said("assistant", tags.written(step.tool, step.arguments))
                yield said("user", result(step.output, failed=step.failed))
            yield said("assistant", answer)


def adapt(request: Request, general: str, diverted: Container[str] = ()) -> Request:
    """Rewrite a request for the embedded model: plain turns of text, without tools.

    `general` is our own system prompt for large models, which is left out; what
    the user put in its place or behind it goes before the first question.
    `diverted` are the arguments of the calls that were changed into a look.
    """
    system, messages = beginning(tuple(map(shortened, request.tools)))
    added = cut(request.system.removeprefix(general).strip(), ADDED)
    for number, message in enumerate(turns(request.messages, diverted)):
        if number == 0 and added:
            message = said("user", f"{added}\n\n{message.text}")  # noqa: PLW2901
        messages.append(message)
    return replace(request, system=system, messages=messages, tools=())


def turns(messages: Sequence[Message], diverted: Container[str]) -> Iterator[Message]:
    """Yield a conversation as turns of text, one call at a time."""
    results = {
        part.call_id: result(part.output, failed=part.failed)
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResult)
    }
    for message in messages:
        if message.role == "tool":
            continue
        text = message.text
        for call in message.calls:
            try:
                arguments = json.loads(call.arguments)
            except ValueError:
                arguments = {}
            yield said("assistant", text + tags.written(call.name, arguments))
            told = results.get(call.id, result(""))
            yield said(
                "user", f"{told}\nNow make the change." if call.arguments in diverted else told
            )
            text = ""
        if text or not message.calls:
            yield said(message.role, text)


def result(output: str, *, failed: bool = False) -> str:
    """Write what a tool returned; a failure says what to do, or it would be taken for the end."""
    text = cut(output.strip(), RESULT) or "[no output]"
    if not failed:
        empty = text.startswith(_NOTHING)
        return f"Result:\n{text}" + ("\nLook in another way before you answer." if empty else "")
    advice = "Say so, unless you can find it." if is_absent(text) else "Try another way."
    return f"It failed:\n{text}\n{advice}"


def is_vain(result: ToolResult) -> bool:
    """Return whether a call has failed or found nothing."""
    return result.failed or result.output.startswith(_NOTHING)


def is_absent(output: str) -> bool:
    """Return whether a failure says that something is not there."""
    return bool(_ABSENT.search(output))


def fitting(instructions: str) -> str:
    """Return as many lines of a project's instructions as a small model can use."""
    if len(instructions) <= INSTRUCTIONS:
        return instructions
    head = instructions[:INSTRUCTIONS]
    return head[: head.rfind("\n") + 1].rstrip() or head


def cut(text: str, limit: int) -> str:
    """Keep head and tail of a text that is too long for a small model."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    return f"{head}\n[… {len(text) - limit} characters left out …]\n{tail}"


def said(role: str, text: str) -> Message:
    """Make a turn of plain text."""
    return Message("assistant" if role == "assistant" else "user", (Text(text),))
