"""Simple commands: words, assignments and redirections, and what the words run in turn.

The tree is believed least here: it puts words of a command into a redirection
(`> file rm x`) and into an assignment (`a[0]=1 rm x`), splits a word at a
continued line, and ends a here-document elsewhere than bash does. So a command
is taken apart into its pieces and put together again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..values import Value
from . import programs, wrappers
from .shell_expansions import REDIRECTS, Expansions
from .shell_found import Command
from .shell_words import UNKNOWN, Word, names

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_COMMANDS = 5_000
COMMANDS = names(
    "command declaration_command unset_command variable_assignment variable_assignments"
)
_STATEMENTS = COMMANDS | {"redirected_statement", "pipeline", "list", "negated_command"}
_RESERVED = frozenset(
    b"! { } [[ ]] if then elif else fi case esac for select while until do done in function"
    b" coproc time".split()
)
#: A word that bash would take for an assignment while no command has been named.
_ASSIGNMENT = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)(\[.*\])?\+?=", re.DOTALL)


class _Item(Value):
    """A piece of a simple command: `kind` is "word", "operator" or "descriptor"."""

    start: int
    end: int
    kind: str
    nodes: tuple[Node, ...]


class Commands(Expansions):
    """The middle layer of a walk: simple commands."""

    def _redirect(self, node: Node) -> None:
        if self._run(self._merged(list(self._items(node)), node.start_byte)):
            self._doubt("the script cannot be parsed after a redirection")

    def _simple(self, node: Node) -> None:
        self._found(self._run(self._merged(list(self._items(node)), node.start_byte)))

    def _items(self, node: Node) -> Iterator[_Item]:
        """Flatten a command and its redirections: the tree puts words of one into the other."""
        if node.type in REDIRECTS:
            yield from self._redirect_items(node)
        elif node.type in COMMANDS or node.type in ("redirected_statement", "command_name"):
            for child in node.children:
                yield from self._items(child)
        elif node.type in ("comment", "ERROR", "subshell"):
            self._doubt("the script cannot be parsed")
            self._scavenge(node)
        else:
            yield _Item(node.start_byte, node.end_byte, "word", (node,))

    def _redirect_items(self, node: Node) -> Iterator[_Item]:
        heredoc = node.type == "heredoc_redirect"
        for child in node.children:
            span = child.start_byte, child.end_byte
            if child.type == "file_descriptor":
                yield _Item(*span, "descriptor", ())
            elif child.type == "heredoc_start":
                yield _Item(*span, "word", (child,))
            elif child.type in ("heredoc_body", "heredoc_end"):
                yield _Item(*span, "document", ())
            elif heredoc and child.type in _STATEMENTS:
                # The rest of the line after a here-document: `<<E | next`, `<<E && next`.
                yield _Item(*span, "document", ())
                self._statement(child)
            elif not child.is_named:
                joins = heredoc and child.type in ("&&", "||")
                yield _Item(*span, "document" if joins else "operator", (child,))
            else:
                yield from self._items(child)
        if heredoc:
            self._heredoc(node)

    def _merged(self, items: Sequence[_Item], at: int) -> list[_Item]:
        """Join words that no blank separates; line continuations do not."""
        merged: list[_Item] = []
        for item in items:
            blank = self._gap(at, item.start, newlines=item.kind == "document", joins=True)
            at = item.end
            last = merged[-1] if merged else None
            if last is None or blank or item.kind != "word" or last.kind != "word":
                if last is not None and not blank and last.kind == "word":
                    self._adjacent(last, item)
                merged.append(item)
            else:
                merged[-1] = _Item(last.start, item.end, "word", last.nodes + item.nodes)
        return merged

    def _adjacent(self, word: _Item, redirect: _Item) -> None:
        """Judge `word>`: digits or `{name}` there would name a descriptor."""
        raw = self._source[word.start : word.end]
        if redirect.kind != "document" and (raw.isdigit() or raw.endswith(b"}")):
            self._doubt("the script cannot be parsed at a redirection")

    def _run(self, items: Sequence[_Item]) -> list[Word]:
        """Judge redirections and assignments, and give the words of the command."""
        words: list[Word] = []
        redirect: str | None = None
        for item in items:
            if item.kind == "operator":
                redirect = self._redirection(self._source[item.start : item.end].decode())
            elif item.kind == "word" and redirect is not None:
                self._target(redirect, item)
                redirect = None
            elif item.kind == "word":
                self._argument(item, words)
        return words

    def _argument(self, item: _Item, words: list[Word]) -> None:
        raw = self._source[item.start : item.end].replace(b"\\\n", b"")
        assignment = None if words else _ASSIGNMENT.match(raw)
        if assignment is None:
            if not words and raw in _RESERVED:
                self._doubt(f"the script cannot be parsed at `{raw.decode()}`")
            words.append(self._word(item.start, item.end, *item.nodes))
            return
        value = self._word(item.start, item.end, *item.nodes)
        if assignment[2]:
            self._doubt("it assigns to an element of an array")
        text = value.text.partition("=")[2]
        self._assigned(assignment[1].decode(), Word(text, value.splits))

    def _redirection(self, operator: str) -> str | None:
        return None if operator.endswith("-") and operator != "<<-" else operator

    def _target(self, operator: str, item: _Item) -> None:
        if operator in ("<<", "<<-"):
            return
        target = self._word(item.start, item.end, *item.nodes)
        duplicates = operator in (">&", "<&") and re.fullmatch(r"[0-9]+-?|-", target.text)
        if operator == "<<<" or duplicates or target.text == "/dev/null":
            return
        if operator == "<":
            if not target.known:
                self._parsed.doubt("it reads from a file whose name is not known", hidden=False)
            elif target.text.startswith(("/dev/tcp", "/dev/udp")):
                self._parsed.doubt("it opens a network connection", hidden=False)
        elif target.text not in ("/dev/stdout", "/dev/stderr"):
            name = target.text.replace(UNKNOWN, "…")
            self._parsed.doubt(f"it redirects to `{name}`", hidden=False)

    def _heredoc(self, node: Node) -> None:
        """Find the end of a here-document again, and read its body as bash does."""
        parts = {child.type: child for child in node.children}
        start, body, end = (parts.get(f"heredoc_{part}") for part in ("start", "body", "end"))
        if start is None or end is None:
            self._doubt("a here-document has no end")
            return
        raw = self._raw(start)
        delimiter = re.sub(rb"[\\'\"]", b"", raw)
        quoted = delimiter != raw
        line = self._source.find(b"\n", start.end_byte) + 1
        at, stop = line, -1
        while 0 < at <= len(self._source):
            stop = self._source.find(b"\n", at)
            stop = len(self._source) if stop < 0 else stop
            text = self._source[at:stop]
            if (text.lstrip(b"\t") if "<<-" in parts else text) == delimiter:
                break
            at = stop + 1
        rest_of_line = self._source[start.end_byte : line]
        if (
            stop != end.end_byte
            or not re.fullmatch(rb"[\w.-]+", delimiter)
            or (b"\\" in rest_of_line or b"<<" in rest_of_line)
            or (body is not None and not line <= body.start_byte <= body.end_byte <= stop)
        ):
            self._doubt("the end of a here-document is not certain")
        if body is not None and not quoted:
            span = line, max(line, min(at, body.end_byte))
            self._read(lambda reader: reader.document(), span, body)

    def _found(self, words: list[Word]) -> None:
        """Note a command and all that it wraps."""
        if not words:
            return
        seen: set[tuple[Word, ...]] = set()
        rest = [(tuple(words), True)]
        while rest:
            # What is certain first: the same words may be a suspect of another wrapper.
            rest.sort(key=lambda found: found[1])
            argv, certain = rest.pop()
            if not argv or argv in seen:
                continue
            seen.add(argv)
            if len(seen) > wrappers.MAX_LEVELS or len(self._parsed.commands) >= MAX_COMMANDS:
                self._doubt("it wraps too many commands")
                return
            rest.extend(self._unwrapped(argv, certain))

    def _unwrapped(
        self, argv: tuple[Word, ...], certain: bool
    ) -> list[tuple[tuple[Word, ...], bool]]:
        inner = wrappers.unwrap(argv)
        risks = programs.risks(argv)
        self._parsed.commands.append(Command(argv, certain, inner is not None, risks))
        if UNKNOWN in argv[0].text or argv[0].splits:
            if certain:
                self._doubt("the name of a command is known only when it runs")
            return [(argv[1:], False)]
        if inner is None:
            return []
        if inner.hides and certain:
            self._doubt(f"`{argv[0].text}` {inner.hides}")
        if certain:
            for name, value in inner.assignments:
                self._assigned(name, value)
        for script in inner.scripts:
            self._parsed.doubt(f"`{argv[0].text}` runs a script", hidden=False)
            self._nested(script)
        return [(words, certain) for words in inner.commands] + [
            (words, False) for words in inner.suspects
        ]
