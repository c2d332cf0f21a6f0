"""Words and expansions: what a word could become, and what becoming it would run.

The walk over a script has three layers, each in its file: expansions, which
contain scripts; simple commands, which consist of words; and the statements
around them (`shell`). Here is the lowest, which calls the highest for
`$(…)`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import programs
from .shell_found import Parsed
from .shell_words import UNKNOWN, Misread, Word, WordReader, begin, expansions

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 100
REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
_PARAMETER = re.compile(rb"\$\{(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(\[(?:[0-9]+|[@*])\])?")
_OPERATOR = re.compile(rb":?[-+?=]|##?|%%?|//?[#%]?|\^\^?|,,?")
_SUBSTRING = re.compile(rb":[ ]?-?[0-9]+(?::-?[0-9]+)?\Z")
_ARITHMETIC = re.compile(rb"[0-9\s+*/%()<>=!&|^~?:,-]*\Z")
_PARAMETER_NAME = re.compile(rb"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])\Z")


class Expansions(ABC):
    """The lowest layer of a walk; what it finds goes into `parsed`."""

    def __init__(self, source: bytes, parsed: Parsed) -> None:
        self._source = source
        self._parsed = parsed
        self._depth = 0
        self._doubt: Callable[[str], None] = parsed.doubt

    @abstractmethod
    def _statement(self, node: Node) -> None:
        """Walk a statement in a substitution."""

    @abstractmethod
    def _redirect(self, node: Node) -> None:
        """Judge a redirection that stands alone: `$(< file)`."""

    @abstractmethod
    def _scavenge(self, node: Node) -> None:
        """Find the commands in what is not understood, for the rules that deny."""

    @abstractmethod
    def _nested(self, script: str) -> None:
        """Walk the text of another script."""

    def _word(self, start: int, end: int, *nodes: Node) -> Word:
        return self._read(lambda reader: reader.word(), (start, end), *nodes)

    def _read(
        self, read: Callable[[WordReader], Word], span: tuple[int, int], *nodes: Node
    ) -> Word:
        holes = expansions(self._source, *nodes)
        seen: set[int] = set()

        def expand(node: Node, quoted: bool) -> bool:
            seen.add(begin(self._source, node))
            return self._expansion(node, quoted)

        reader = WordReader(self._source, span, holes, expand)
        try:
            word = read(reader)
        except Misread as misread:
            self._doubt(f"the script cannot be parsed: {misread}")
            word = Word(UNKNOWN, splits=True)
        if reader.translated:
            self._doubt('$"…" depends on the locale')
        for start, node in holes.items():
            if start not in seen:
                self._expansion(node, quoted=False)
        return word

    def _expansion(self, node: Node, quoted: bool) -> bool:
        """Judge what an expansion runs; say whether it can become several words."""
        self._depth += 1
        start = begin(self._source, node)
        raw = self._source[start : node.end_byte]
        if self._depth > MAX_DEPTH:
            self._doubt("the script is nested too deeply")
        elif node.type == "simple_expansion":
            if not _PARAMETER_NAME.match(raw):
                self._doubt("the script cannot be parsed at `$`")
        elif node.type == "expansion":
            self._parameter(node, raw, quoted)
        elif node.type == "arithmetic_expansion":
            if not _ARITHMETIC.match(raw.strip(b"$([])")):
                self._doubt("arithmetic on variables can run commands")
            self._scavenge(node)
        else:
            self._substitution(node, raw)
        self._depth -= 1
        return node.type != "process_substitution" and (
            not quoted or (b"@" in raw and node.type != "command_substitution")
        )

    def _substitution(self, node: Node, raw: bytes) -> None:
        if raw.startswith(b"$(("):
            self._doubt("the script cannot be parsed at `$((`")
        if raw.startswith(b"`") and b"\\" in raw:
            self._doubt("backticks are nested")
            inner = re.sub(rb"\\([$`\\])", rb"\1", raw[1:-1])
            self._nested(inner.decode("utf-8", "replace"))
        at, separated = node.start_byte, True
        for child in node.children:
            separated = self._gap(at, child.start_byte) or separated
            at = child.end_byte
            if not child.is_named:
                separated = True
                if child.type not in ("$(", "`", "<(", ">(", ")", ";", "&"):
                    self._doubt(f"the script cannot be parsed at `{child.type}`")
            elif child.type == "comment":
                self._comment(child)
            elif child.type in REDIRECTS:
                self._redirect(child)
            else:
                if not separated:
                    self._doubt("two commands are not separated")
                separated = False
                self._statement(child)

    def _parameter(self, node: Node, raw: bytes, quoted: bool) -> None:
        """Judge `${…}`: only the plain forms, and the operand as a word of its own."""
        head = _PARAMETER.match(raw)
        if head is None or not raw.endswith(b"}"):
            self._doubt("it uses an indirect expansion or a computed subscript")
            self._scavenge(node)
            return
        rest = raw[head.end() : -1]
        operator = _OPERATOR.match(rest)
        if rest == b"" or (not head[1] and _SUBSTRING.match(rest)):
            return
        if operator is None or head[1]:
            self._doubt("it uses an expansion that can run commands")
            self._scavenge(node)
            return
        if operator[0].endswith(b"="):
            self._assigned(head[2].decode("ascii"), None)
        operand = node.end_byte - len(raw) + head.end() + operator.end()
        span = operand, node.end_byte - 1
        self._read(lambda reader: reader.operand(quoted), span, *node.children)

    def _comment(self, node: Node) -> None:
        before = self._source[: node.start_byte][-1:]
        if before not in (b"", b" ", b"\t", b"\n", b";", b"&", b"|", b"(", b")"):
            self._doubt("the script cannot be parsed at `#`")
        if b"\n" in self._raw(node) or self._source[node.end_byte :][:1] not in (b"", b"\n"):
            self._doubt("the script cannot be parsed at `#`")

    def _assigned(self, name: str, value: Word | None) -> None:
        effect = programs.assignment(name, value)
        if effect is not None:
            hidden = effect == "hides"
            self._parsed.doubt(f"it sets the variable {name}", hidden=hidden)

    def _raw(self, node: Node) -> bytes:
        return self._source[node.start_byte : node.end_byte]

    def _gap(self, start: int, end: int, *, newlines: bool = True, joins: bool = False) -> bool:
        """Check what stands between two nodes: blanks, or nothing. Say whether it separates.

        `joins`: inside a command, where only a blank separates; elsewhere a newline does.
        """
        gap = self._source[start:end]
        if not gap:
            return False
        plain = gap.replace(b"\\\n", b"")
        if plain.strip(b" \t\n" if newlines else b" \t"):
            self._doubt("the script cannot be parsed")
            return True
        if joins:
            return bool(plain)
        if plain != gap and not plain:
            around = self._source[:start][-1:] + self._source[end : end + 1]
            if not any(byte in b" \t\n" for byte in around):
                self._doubt("a line is continued inside a token")
        return b"\n" in plain
