"""How the embedded model writes a tool call: in tags, with every value as it is.

    <tool=bash>wc -l < notes.txt</tool>

    <tool=write>
    <file_path>todo.txt</file_path>
    <content>
    call Bob
    </content>
    </tool>

JSON is what large models call tools with. A small one fails at it just where it
matters, at the backslashes and quotes of a command or a program inside a JSON
string. Here nothing is escaped, and a grammar that the server samples by makes
every call complete and valid: a known tool, its required parameters in their
order, values up to their closing tags. Being plain text it needs no help from a
model's chat template, so it works with any model that follows examples.

All of it is pure: text for the prompt, a grammar in GBNF, and the way back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..messages import ToolSpec

OPENING, CLOSING, NEWLINE = "<tool=", "</tool>", "\n"
Arguments = Mapping[str, Any]
#: What a model calls as if it were a tool of its own: `<tool=rm>old.log</tool>`. With `bash` on
#: offer it gets what it meant; without the names here it would be driven to some other tool.
_PROGRAMS = (
    "awk cat chmod cp cut date df diff du echo env file find git head hostname id ln make "
    "mkdir mv node npm pip printf ps pwd python python3 rm rmdir sed seq sh sort stat tail tar "
    "touch tr tree uname uniq uptime wc which whoami xargs zip"
)
PROGRAMS = _PROGRAMS.split()
#: Those behind which the name of a program stands; behind another, the first was a slip.
_LEADING = ("echo", "env", "printf", "which", "xargs", "python", "python3", "node")
#: What may follow `<tool` and `</tool` in words.
WORDS = ("bar", "box", "chain", "kit", "set", "tip")


def written(name: str, arguments: Arguments) -> str:
    """Write a call; a lone argument stands between the tags of the call itself."""
    if len(arguments) < 2:
        return (
            f"{OPENING}{name}>{''.join(shown('', value) for value in arguments.values())}{CLOSING}"
        )
    values = [f"<{key}>{shown(key, value)}</{key}>" for key, value in arguments.items()]
    return "\n".join([f"{OPENING}{name}>", *values, CLOSING])


def shown(key: str, value: Any) -> str:
    """Write a value, on lines of its own if it has several: the reverse of `value_of`."""
    text = value if isinstance(value, str) else json.dumps(value)
    if key == "content":
        return f"\n{text}" if text.endswith("\n") or text.startswith("\n") else text
    return f"\n{text}\n" if "\n" in text else text


def read(text: str, tools: Sequence[ToolSpec]) -> tuple[str, dict[str, Any]]:
    """Read a call that begins with its opening tag: the tool's name and the arguments."""
    name, _, body = text.removeprefix(OPENING).partition(">")
    if name in PROGRAMS:
        words = body.partition(CLOSING)[0]
        if name not in _LEADING and (words.split() or [""])[0] in (*PROGRAMS, "ls", "grep"):
            return "bash", {"command": words}
        return "bash", {"command": name if words == name else f"{name} {words}".strip()}
    schemas = next((properties(tool) for tool in tools if tool.name == name), {})
    kinds = {key: schema.get("type", "string") for key, schema in schemas.items()}
    if len(kinds) == 1:
        ((key, kind),) = kinds.items()
        value = body.partition(CLOSING)[0]
        return name, {key: value_of(kind, value, keep_end=False)} if value else {}
    found = re.findall(r"<([\w-]+)>(.*?)</\1>", body, re.DOTALL)
    return name, {
        key: value_of(kinds.get(key, "string"), value, keep_end=key == "content")
        for key, value in found
    }


def value_of(kind: object, text: str, *, keep_end: bool) -> Any:
    """Return the value that stands between two tags.

    A text on lines of its own is without the line breaks of the tags, except that
    the content of a file keeps its last one.
    """
    if text.startswith("\n"):
        text = text[1:] if keep_end else text[1:].removesuffix("\n")
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def described(tools: Sequence[ToolSpec]) -> str:
    """Return the part of the system prompt that lists the tools and how to call one."""
    lines = [f"- {tool.name}({', '.join(properties(tool))}): {tool.description}" for tool in tools]
    return (
        "Tools:\n"
        + "\n".join(lines)
        + "\n\nTo use a tool write it like this, then stop and wait for its result:\n"
        + f"{OPENING}NAME>value{CLOSING}"
    )


def properties(tool: ToolSpec) -> dict[str, dict[str, Any]]:
    """Yield the parameters of a tool, in order, with their schemas."""
    found: dict[str, dict[str, Any]] = tool.parameters.get("properties", {})
    return found


def grammar(tools: Sequence[ToolSpec], *, forced: bool = False, ended: bool = False) -> str:
    """Return the grammar of an answer: text, then perhaps one call of these tools.

    `forced` allows nothing but a call. Markup of calls cannot stand in text. `ended`: no more
    calls are possible, so a model that is used to them must not begin as if one were.
    """
    seen: dict[str, str] = {}
    rules = [f"root ::= {quoted(OPENING)} call"] if forced else text_rules(bool(tools), ended)
    if tools:
        calls = [call_rule(tool, seen) for tool in tools]
        # Where nothing but `bash` is left, it is called by its name, as the examples do.
        alone = forced and len(tools) == 1
        if not alone and any(tool.name == "bash" for tool in tools):
            program = " | ".join(map(quoted, PROGRAMS))
            words = value_rule(CLOSING, {}, seen)
            calls.append(f'({program}) ">" ([^<\\n] {words} | {quoted(CLOSING)})')
        rules.append("call ::= " + " | ".join(calls))
    return "\n".join([*rules, *seen.values()])


def text_rules(may_call: bool, ended: bool) -> list[str]:
    """Return the rules for text in which no tag of a call stands, unless a call follows."""
    opening, closing = OPENING.removesuffix("="), CLOSING.removesuffix(">")
    beginning = "" if ended else '"<" text-1 | '
    rules = [f"root ::= {beginning}[^<] text-0"]
    rules += scan("text", {opening: "opened", closing: "word"}, may_end=True)
    # `<toolbar>` is a word, `<tool>` and `<toolRead>` are calls gone wrong.
    rules.append(f"word ::= ({' | '.join(map(quoted, WORDS))}) text-0")
    rules.append('opened ::= word | "=" call' if may_call else "opened ::= word")
    return rules


def call_rule(tool: ToolSpec, seen: dict[str, str]) -> str:
    """Return the grammar of a call behind its opening tag."""
    required = tool.parameters.get("required", [])
    schemas = properties(tool)
    if not schemas:
        return quoted(f"{tool.name}>{CLOSING}")
    if len(schemas) == 1:
        ((_, schema),) = schemas.items()
        return f"{quoted(f'{tool.name}>')} {value_rule(CLOSING, schema, seen)}"
    parts = [quoted(f"{tool.name}>\n")]
    for key, schema in schemas.items():
        part = f"{quoted(f'<{key}>')} {value_rule(f'</{key}>', schema, seen)} {quoted(NEWLINE)}"
        parts.append(part if key in required else f"({part})?")
    return " ".join([*parts, quoted(CLOSING)])


def value_rule(end: str, schema: Mapping[str, Any], seen: dict[str, str]) -> str:
    """Return the name of the rule for a value and its closing tag; `seen` collects the rules."""
    kind = schema.get("type", "string")
    if lines := schema.get("lines"):
        seen["lines"] = "\n".join(line_rules(lines))
        return f"lines {quoted(end)}"
    plain = "to-" + re.sub(r"[^a-z0-9]+", "-", end.lower()).strip("-")
    if kind == "boolean":
        name, rules = f"{plain}-boolean", ['("true" | "false")']
    elif kind in ("integer", "number"):
        name, rules = f"{plain}-number", ['"-"? [0-9]+']
    else:
        name = f"{plain}-0"
        seen[name] = "\n".join(scan(plain, {end: "nothing"}, may_end=False))
        seen["nothing"] = 'nothing ::= ""'
        return name
    seen[name] = f"{name} ::= {rules[0]} {quoted(end)}"
    return name


def line_rules(lines: Sequence[str]) -> Iterator[str]:
    """Return the rules for some lines of a file that follow each other, or one of them."""
    shown = [(number, line) for number, line in enumerate(lines) if line.strip()]
    starts = [f"line-{number}" for number, _ in shown]
    starts += [
        f"{quoted(line.lstrip())} line-{number}-on" for number, line in shown if line[0] in " \t"
    ]
    yield 'lines ::= some | "\\n" some "\\n"'
    yield "some ::= " + " | ".join(starts)
    for number, line in enumerate(lines):
        yield f"line-{number} ::= {quoted(line)} line-{number}-on"
        more = f' | "\\n" line-{number + 1}' if number + 1 < len(lines) else ""
        yield f'line-{number}-on ::= ""{more}'


def scan(name: str, markers: Mapping[str, str], *, may_end: bool) -> Iterator[str]:
    """Return the rules for text up to the first of the markers, then what follows that one.

    A grammar cannot say "anything but", so this is the automaton that searches
    the markers: each of its states is how much of one has been seen.
    """
    beginnings = {marker[:size] for marker in markers for size in range(len(marker))}
    states = sorted(beginnings, key=lambda seen: (len(seen), seen))
    letters = sorted(set("".join(markers)))
    for number, seen in enumerate(states):
        onward: dict[str, str] = {}
        for letter in letters:
            reached = next(
                text
                for text in ((seen + letter)[at:] for at in range(len(seen) + 2))
                if text in markers or text in beginnings
            )
            if reached:
                after = markers.get(reached)
                onward[letter] = after or f"{name}-{states.index(reached)}"
        ways = [f"[^{''.join(map(in_class, onward))}] {name}-0"]
        ways += [f"{quoted(letter)} {rule}" for letter, rule in onward.items()]
        if may_end:
            ways.append('""')
        yield f"{name}-{number} ::= " + " | ".join(ways)


def longest_suffix(seen: str, marker: str) -> int:
    """Return how many characters of `marker` the end of `seen` already is."""
    return next(
        n for n in range(len(seen), -1, -1) if n <= len(marker) and seen.endswith(marker[:n])
    )


def quoted(text: str) -> str:
    """Write a literal of the grammar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def in_class(letter: str) -> str:
    """Write a character of a class of the grammar."""
    return {"\n": "\\n", "\\": "\\\\", "]": "\\]", "^": "\\^", "-": "\\-"}.get(letter, letter)


class Scanner:
    """Tells a streamed answer's text from the call at its end."""

    def __init__(self) -> None:
        self._pending = ""
        #: The call as it is written, from its opening tag on; empty before.
        self.call = ""

    def feed(self, piece: str) -> str:
        """Take a piece of the answer; return what is certainly text."""
        if self.call:
            self.call += piece
            return ""
        seen = self._pending + piece
        found = seen.find(OPENING)
        if found >= 0:
            self._pending, self.call = "", seen[found:]
            return seen[:found]
        kept = longest_suffix(seen, OPENING)
        self._pending = seen[len(seen) - kept :]
        return seen[: len(seen) - kept]

    def close(self) -> str:
        """Return the text that was held back."""
        held, self._pending = self._pending, ""
        return held
