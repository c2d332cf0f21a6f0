"""The regular expressions that `grep` takes, written out for both of its engines.

ripgrep (Rust's regex) and the worker (Python's re) differ in syntax and in the
meaning of what both accept. So a pattern is read here, by a grammar that is the
common part of both, and is written anew for each in constructs that mean the
same. What only one engine has (look-around, backreferences, `\\p{…}`, POSIX
classes) is refused whichever engine will run: the answer must not depend on
the machine.

    literals  .  ^  $  |  (…)  (?:…)  (?i:…)  (?P<name>…)  leading (?i)
    * + ? {n} {n,} {n,m}, each with ?      [a-z] [^…]      \\d \\w \\s \\b and \\D \\W \\S \\B
    \\t \\r \\f \\v \\a  \\xHH  \\uHHHH  \\ before punctuation      { where it counts nothing

Matching is within one line. `$` also matches before the carriage return of a
CRLF, `^` also after a byte order mark; `.` and negated classes match characters
of valid UTF-8 only. Words are Unicode words.
"""

from __future__ import annotations

import re

from ..values import Value
from .grep_worker import STAND_INS

MOST_REPEATS = 1000
DEEPEST = 50
LONGEST = 10_000

#: What no part of a pattern may match in Python: a newline, and the stand-ins
#: for bytes that are not UTF-8. ripgrep rules both out by itself.
_NEVER = r"\n\udc80-\udcff"
#: (outside a class, inside a class) for each engine. What is in braces is for the
#: worker to fill in, because Python and Rust disagree on what a word is.
_PERL = {
    "d": ((r"\d", r"\d"), (r"\d", r"\d")),
    "D": ((rf"[^\d{_NEVER}]", r"\D"), (r"\D", r"\D")),
    "w": (("[{word}]", "{word}"), (r"\w", r"\w")),
    "W": ((f"[^{{word}}{_NEVER}]", "{other}"), (r"\W", r"\W")),
    "s": ((r"[^\S\n]", r"\s"), (r"[\s\x1c-\x1f]", r"\s\x1c-\x1f")),
    "S": ((rf"[^\s{_NEVER}]", r"\S"), (r"[^\s\x1c-\x1f]", r"[^\s\x1c-\x1f]")),
}
_CONTROLS = {"t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "n": "\n"}
_REPEAT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_GROUP = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|:|(-?i):)|\((?!\?)")
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_REFUSED = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<=": "look-behind",
    "(?<!": "look-behind",
    "(?P=": "a backreference",
    "(?>": "an atomic group",
    "(?#": "a comment",
    "(?(": "a conditional",
}


class Pattern(Value):
    """One regular expression, as each engine must be given it."""

    python: str
    rust: str
    ignore_case: bool


class PatternError(ValueError):
    """The pattern is wrong, or outside of what both engines have in common."""


def parse(pattern: str, *, ignore_case: bool) -> Pattern:
    """Read a pattern and write it for both engines."""
    if len(pattern) > LONGEST:
        raise PatternError(f"it is longer than {LONGEST} characters")
    if re.search("[\0\ud800-\udfff]", pattern):
        raise PatternError("it contains a NUL or a lone surrogate")
    flags = _FLAGS.match(pattern)
    parser = _Parser(pattern, flags.end() if flags else 0)
    python, rust = parser.alternatives(0)
    if parser.at < len(pattern):
        raise PatternError(r"a ) closes nothing; write \) for the character itself")
    return Pattern(python, rust, ignore_case or bool(flags and "i" in flags[1]))


class _Parser:
    """A recursive descent; each method gives the source for Python and the source for Rust."""

    def __init__(self, pattern: str, at: int) -> None:
        self._pattern = pattern
        self.at = at

    def alternatives(self, depth: int) -> tuple[str, str]:
        if depth > DEEPEST:
            raise PatternError(f"its groups are nested more than {DEEPEST} deep")
        python, rust = self._sequence(depth)
        while self._peek() == "|":
            self.at += 1
            more_python, more_rust = self._sequence(depth)
            python, rust = f"{python}|{more_python}", f"{rust}|{more_rust}"
        return python, rust

    def _peek(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _sequence(self, depth: int) -> tuple[str, str]:
        python, rust = "", ""
        while self._peek() not in ("", "|", ")"):
            repeatable = self._peek() not in ("^", "$") and not self._at_boundary()
            atom_python, atom_rust = self._atom(depth)
            repeat = self._repeat()
            if repeat and not repeatable:
                raise PatternError(f"{repeat} repeats a place, not a character")
            python, rust = python + atom_python + repeat, rust + atom_rust + repeat
        return python, rust

    def _at_boundary(self) -> bool:
        return self._pattern[self.at : self.at + 2] in (r"\b", r"\B")

    def _repeat(self) -> str:
        counted = _REPEAT.match(self._pattern, self.at)
        if counted:
            low, high = int(counted[1]), int(counted[3] or counted[1])
            if max(low, high) > MOST_REPEATS:
                raise PatternError(f"{counted[0]} asks for more than {MOST_REPEATS} repetitions")
            if low > high:
                raise PatternError(f"{counted[0]} asks for at least {low} and at most {high}")
            self.at = counted.end()
            repeat = counted[0]
        elif self._peek() and self._peek() in "*+?":
            repeat = self._peek()
            self.at += 1
        else:
            return ""
        if self._peek() == "?":
            self.at += 1  # which match is found first does not change which lines match
        if (self._peek() and self._peek() in "*+?") or _REPEAT.match(self._pattern, self.at):
            raise PatternError(f"{repeat} is followed by another repetition")
        return repeat

    def _atom(self, depth: int) -> tuple[str, str]:
        char = self._peek()
        if char == "(":
            return self._group(depth)
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        if char in "*+?" or _REPEAT.match(self._pattern, self.at):
            raise PatternError(f"there is nothing for {char} to repeat; write \\{char} for itself")
        self.at += 1
        if char == ".":
            return f"[^{_NEVER}]", "."
        if char == "^":
            return r"(?:^\ufeff?)", r"(?:^\x{FEFF}?)"
        if char == "$":
            return r"(?:\r?$)", r"(?:\r?$)"
        return _literal(char)

    def _group(self, depth: int) -> tuple[str, str]:
        opening = _GROUP.match(self._pattern, self.at)
        if not opening:
            for start, name in _REFUSED.items():
                if self._pattern.startswith(start, self.at):
                    raise PatternError(f"{start}…) is {name}, which grep does not have")
            raise PatternError(f"grep does not have {self._pattern[self.at : self.at + 3]}…)")
        self.at = opening.end()
        python, rust = self.alternatives(depth + 1)
        if self._peek() != ")":
            raise PatternError(r"a ( is never closed; write \( for the character itself")
        self.at += 1
        flags = opening[1] or ""
        return f"(?{flags}:{python})", f"(?{flags}:{rust})"

    def _escape(self) -> tuple[str, str]:
        perl = self._pattern[self.at + 1 : self.at + 2]
        if perl and perl in "bB":
            self.at += 2
            return "{edge}" if perl == "b" else "{inner}", f"\\{perl}"
        if perl in _PERL:
            self.at += 2
            python, rust = _PERL[perl]
            return python[0], rust[0]
        return _literal(self._escaped_character())

    def _escaped_character(self) -> str:
        """Consume an escape that stands for one character."""
        self.at += 1
        char = self._peek()
        if not char:
            raise PatternError("nothing follows its last backslash")
        self.at += 1
        if char in _CONTROLS:
            return _CONTROLS[char]
        number = _HEX.match(self._pattern, self.at - 1)
        if number:
            self.at = number.end()
            code = int(number[1] or number[2], 16)
            if 0xD800 <= code <= 0xDFFF:
                raise PatternError(f"\\{number[0]} is not a character")
            return chr(code)
        if char.isdigit():
            raise PatternError(f"\\{char} is a backreference, which grep does not have")
        if char.isalnum() or char in "<>" or not char.isascii():
            raise PatternError(f"grep does not have \\{char}")
        return char

    def _class(self) -> tuple[str, str]:
        self.at += 1
        negated = self._peek() == "^"
        self.at += negated
        python, rust = "", ""
        guarded = False
        first = True
        while first or self._peek() != "]":
            first = False
            perl = self._class_perl()
            if perl:
                python, rust = python + _PERL[perl][0][1], rust + _PERL[perl][1][1]
                guarded = True
                if self._peek() == "-" and self._pattern[self.at + 1 : self.at + 2] != "]":
                    raise PatternError(rf"\{perl}- begins no range; write \- for the character")
                continue
            low, high = self._class_range()
            if low == high == "\n":
                continue  # a line does not hold one
            guarded = guarded or low <= "\n" <= high or (low <= "\udcff" and high >= "\udc80")
            python += _python_range(low, high)
            rust += f"{_rust(low)}-{_rust(high)}"
        self.at += 1
        if negated:
            return f"[^{python}{_NEVER}]", f"[^{rust}]" if rust else "."
        if not python:
            raise PatternError(r"[\n] can match nothing: grep looks at one line at a time")
        return f"(?:(?![{_NEVER}])[{python}])" if guarded else f"[{python}]", f"[{rust}]"

    def _class_perl(self) -> str:
        char = self._pattern[self.at + 1 : self.at + 2]
        if self._peek() != "\\" or char not in _PERL:
            return ""
        self.at += 2
        return char

    def _class_range(self) -> tuple[str, str]:
        low = self._class_character()
        if self._peek() != "-" or self._pattern[self.at + 1 : self.at + 2] == "]":
            return low, low
        self.at += 1
        if self._peek() == "\\" and self._pattern[self.at + 1 : self.at + 2] in _PERL:
            raise PatternError("a range ends in a class")
        high = self._class_character()
        if low > high:
            raise PatternError(f"the range {low}-{high} runs backwards")
        return low, high

    def _class_character(self) -> str:
        char = self._peek()
        if not char:
            raise PatternError(r"a [ is never closed; write \[ for the character itself")
        if char == "\\":
            if self._pattern[self.at + 1 : self.at + 2] in ("b", "B"):
                raise PatternError(r"\b has no meaning in a class")
            return self._escaped_character()
        two = self._pattern[self.at : self.at + 2]
        if two in ("[:", "[=", "[."):
            raise PatternError(f"{two}…] is a POSIX class, which grep does not have: write a-z")
        if char == "[" or two in ("&&", "--", "~~", "||"):
            raise PatternError(f"{char} in a class needs a backslash: \\{char}")
        self.at += 1
        return char


def _literal(char: str) -> tuple[str, str]:
    if char == "\n":
        raise PatternError(r"\n can match nothing: grep looks at one line at a time")
    if char == "_" or char.isalnum():
        return char.translate(STAND_INS), char
    return re.escape(char), _rust(char)


def _python_range(low: str, high: str) -> str:
    """Write a range, with the stand-ins in the place of what they stand for."""
    ranges = ""
    for code, stand_in in STAND_INS.items():
        if ord(low) <= code <= ord(high):
            ranges += stand_in
    before, after = (min(high, "\u012f"), max(low, "\u0132"))
    for first, last in ((low, before), (after, high)):
        if first <= last:
            ranges += f"\\U{ord(first):08x}-\\U{ord(last):08x}"
    return ranges


def _rust(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"
