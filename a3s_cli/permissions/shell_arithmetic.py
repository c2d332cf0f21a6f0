"""Arithmetic in a bash script, and what all layers of its reader share.

Computing with a variable evaluates what it holds, and `a[$(rm x)]` runs `rm`: which
variables are computed with is noted, and judged when the whole script has been read.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter

from . import variables
from .shell_found import Effect, Parsed, Word

MAX_DEPTH = 40
_NUMBER = re.compile(r"[0-9]+#?[0-9A-Za-z]*")
_ARITHMETIC = re.compile(r"[\s+*/%<>=!&|^~?:,-]+")
#: A substitution whose last program prints one number, and nothing else.
COUNTED = (
    r"\$\((?:[^|;&<>()`$\n]+\|\s*)*(?:wc -[lcwm]\s*(?:<\s*[\w./-]+)?|nproc|date \+%s(?:%N)?"
    r"|grep -[a-zA-Z]*c[a-zA-Z]* (?:'[^']*'|\"[^\"$`]*\"|[\w.-]+)(?: [\w./-]+)?"
    r"|stat -c ?'?%[sXYZ]'? [\w./-]+)\s*\)"
)
#: What is a number whatever the run: `$((…))`, `${#x}`, `$?`, digits.
NUMBER_VALUE = re.compile(
    rf'"?(?:-?[0-9]*|\$\(\(.*\)\)|\$\{{#\w+\}}|\$[#?$!]|{COUNTED})"?', re.DOTALL
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unreadable(Exception):
    """The script is not bash, or not of the part of it that is read here."""


class Arithmetic(ABC):
    """The lowest layer of a reader: its state, and expressions."""

    def __init__(self, text: str, parsed: Parsed, depth: int = 0) -> None:
        self._s = text
        self._i = 0
        self._parsed = parsed
        self._depth = depth
        #: Here-documents whose bodies begin at the next newline.
        self._pending: list[tuple[str, bool, bool]] = []
        #: Variables whose value is known where the reader is.
        self._values: dict[str, Word] = {}
        self._parts: list[str] = []
        self._splits = self._several = False
        #: Whether an expression has just had a value.
        self._valued = False
        #: Plain commands that were read already, as they are written.
        self._seen: set[str] = set()
        #: A text, the names that stand in it, and those that are set by being used.
        self._mentioned = "", Counter[str](), frozenset[str]()
        #: Where a command begins.
        self.starts: set[int] = set()

    def _doubt(self, reason: str) -> None:
        self._parsed.doubt(reason)

    def _join(self, at: int) -> None:
        """Delete the continued lines at a place."""
        while self._s.startswith("\\\n", at):
            self._parsed.step()
            self._s = self._s[:at] + self._s[at + 2 :]

    def _deeper(self) -> None:
        if self._depth >= MAX_DEPTH:
            raise Unreadable("the script is nested too deeply")
        self._depth += 1

    @abstractmethod
    def _dollar(self, *, quoted: bool) -> None:
        """Read an expansion."""

    def _arithmetic(self, closer: str) -> None:
        """Read an expression and what closes it; note the variables that it computes with."""
        self._deeper()
        outer, self._valued = self._valued, False
        depth = 0
        while self._i < len(self._s):
            if depth == 0 and self._s.startswith(closer, self._i):
                self._i += len(closer)
                self._depth -= 1
                self._valued = outer
                return
            depth = self._arithmetic_token(depth)
        raise Unreadable("an expression that is not closed")

    def _arithmetic_token(self, depth: int) -> int:
        self._parsed.step()
        character = self._s[self._i]
        begins = character not in "()\\" and not _ARITHMETIC.match(self._s, self._i)
        if begins and self._valued:
            # bash would not compute this; what else it could be is not guessed.
            raise Unreadable("two values without an operator")
        if begins or character in "()":
            self._valued = character != "("
        elif character != "\\" and _ARITHMETIC.match(self._s, self._i)[0].strip():  # type: ignore[index]
            self._valued = False
        if character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                raise Unreadable("an expression that is not closed")
            self._i += 1
        elif character == "\\" and self._s.startswith("\n", self._i + 1):
            self._join(self._i)
        elif character == "$":
            self._arithmetic_value()
        elif token := _NUMBER.match(self._s, self._i) or _ARITHMETIC.match(self._s, self._i):
            self._i = token.end()
        elif token := _NAME.match(self._s, self._i):
            self._i = token.end()
            self._parsed.computed[token[0]] = None
            self._join(self._i)
            if self._s.startswith("[", self._i):
                self._i += 1
                self._arithmetic("]")
            if assigned := re.compile(r"\s*(?:[-+*/%&|^]|<<|>>)?=(?!=)").match(self._s, self._i):
                self._i = assigned.end()
                self._valued = False
                self._assigned(token[0], Word("0"))
        else:
            raise Unreadable(f"{character!r} in an expression")
        return depth

    def _arithmetic_value(self) -> None:
        kept = self._parts, self._splits
        self._parts = []
        start = self._i
        self._dollar(quoted=True)
        raw = self._s[start : self._i]
        self._parts, self._splits = kept
        if name := re.fullmatch(r"\$\{?([A-Za-z_]\w*)\}?", raw):
            self._parsed.computed[name[1]] = None
        elif not NUMBER_VALUE.fullmatch(raw):
            self._doubt("it computes with what is known only when it runs")

    def _assigned(self, name: str, value: Word, *, number: bool = False) -> Effect | None:
        """Note that a variable is set; return what that does to the commands that follow."""
        self._parsed.assign(name, number or bool(re.fullmatch(r"-?[0-9]*", value.text)))
        self._values.pop(name, None)
        effect = variables.assignment(name, value)
        if effect is not None:
            self._parsed.effects.append(effect)
        return effect
