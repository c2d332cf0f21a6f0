"""Growing JSON text to a growing value: one pass, whatever the pieces.

A model writes JSON a few characters at a time, and each piece may end anywhere:
inside a key, an escape, half a surrogate pair. What can be shown of it must be
true for good, so that every state is a prefix of the next: an unfinished string
appears as far as it has come, an unfinished number, literal or key does not.

Nothing is parsed again. A token is found by a regular expression, which runs in
C, and of a piece only an escape or a literal that is cut stays behind. The value
is one tree that is added to in place, and nothing recurses, so that neither size
nor depth of hostile text costs more than reading it.

The value in the end is what `json.loads` gives, except where its reader could
not take it: a lone surrogate becomes U+FFFD; a key that comes twice and a number
that is beyond the range of a float are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

from .. import jsontext

#: The longest document that is read, in bytes, and its deepest nesting.
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 128
#: Python makes no integer of more digits.
MAX_DIGITS = 4300

_BLANKS = " \t\n\r"
_BLANK = re.compile(r"[ \t\n\r]*+")
# The quantifiers are possessive: nothing is remembered in order to go back to it.
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_CONTENT = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_NUMERIC = re.compile(r"[-+.0-9eE]*+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)((?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)")
_LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}

#: Line and column, from 1.
Place = tuple[int, int]


class Violation(ValueError):
    """The text is not the JSON that it should be, and where."""

    def __init__(self, place: Place, problem: str) -> None:
        self.line, self.column = place
        self.problem = problem
        super().__init__(f"line {self.line}, column {self.column}: {problem}")


def moved(place: Place, text: str) -> Place:
    """Return the place that follows a text which begins at `place`."""
    lines = text.count("\n")
    if lines:
        return place[0] + lines, len(text) - text.rfind("\n")
    return place[0], place[1] + len(text)


class Partial:
    """One JSON document, as far as it has come."""

    def __init__(self, place: Place = (1, 1)) -> None:
        #: Whether the document has ended; whether there is a value to show.
        self.complete = False
        self.begun = False
        #: Whether a key with its colon has come, and whether an array's comma has.
        self.named = False
        self.listed = False
        #: The index in the last text at which reading stopped.
        self.at = 0
        # The text being read; between two pieces what of it is to be read again.
        self._text = ""
        self._from = 0
        self._place = place
        self._bytes = 0
        self._blanks = 0
        self._state: Callable[[Partial], bool] = Partial._value
        self._root: Any = None
        self._open: list[Any] = []
        self._top: Any = None
        self._key = ""
        # The same few keys come again and again: each is kept once.
        self._keys: dict[str, str] = {}
        # The token that is unfinished: a string, which may be a key, or a number.
        self._token = StringIO()
        self._token_length = 0
        self._is_key = False
        self._joiner = jsontext.Joiner()
        self._violation: Violation | None = None

    @property
    def size(self) -> int:
        """The document so far in bytes, as it is written but for the blanks between tokens."""
        return self._bytes - self._blanks

    @property
    def growing(self) -> bool:
        """Whether the last string of the value is unfinished."""
        return self._state is Partial._string and not self._is_key

    @property
    def value(self) -> Any:
        """The tree itself: valid until the next piece, and not to be changed."""
        if self.growing:
            self._replace(self._token.getvalue())
        return self._root

    def feed(self, text: str, start: int = 0) -> int:
        """Read a piece from `start` on, and return the index at which the document ends in it.

        That is the length of the piece while the document does not end.
        """
        if self._violation:
            raise self._violation
        held = len(self._text)
        self._text = self._text + text[start:] if held else text
        self._from = self.at = 0 if held else start
        try:
            while not self.complete and self.at < len(self._text) and self._state(self):
                pass
            self._account()
        finally:
            self.at += start - held if held else 0
        return self.at if self.complete else len(text)

    def finish(self) -> None:
        """End the text: a number at the root ends here; anything else must have ended."""
        if self._violation:
            raise self._violation
        self.at = self._from = 0
        if self._state is Partial._number and not self._open:
            self._end_number()
        if not self.complete:
            raise self._fail("the text ends before the JSON does")

    def _account(self) -> None:
        """Count what was read, and keep the rest of the text for the next piece."""
        taken = self._text[self._from : self.at]
        self._bytes += len(taken) if taken.isascii() else len(taken.encode(errors="surrogatepass"))
        if self._bytes > MAX_BYTES:
            raise self._fail(f"the JSON is longer than {MAX_BYTES} bytes")
        self._place = moved(self._place, taken)
        self._text = "" if self.complete else self._text[self.at :]

    def _fail(self, problem: str) -> Violation:
        place = moved(self._place, self._text[self._from : self.at])
        self._violation = Violation(place, problem)
        return self._violation

    def _expected(self, what: str) -> Violation:
        return self._fail(f"expected {what}, found {json.dumps(self._text[self.at])}")

    # The states. Each reads at most one token, and tells whether reading can go on:
    # False asks for more text.

    def _value(self) -> bool:
        if not self._skip_blanks():
            return False
        mark = self._text[self.at]
        if mark == '"':
            return self._begin_string()
        if mark == "{":
            return self._begin({}, Partial._first_key)
        if mark == "[":
            return self._begin([], Partial._first_value)
        if mark in _LITERALS:
            return self._literal(*_LITERALS[mark])
        if mark in "-0123456789":
            self._state = Partial._number
            return True
        raise self._expected("a value")

    def _first_value(self) -> bool:
        if not self._skip_blanks():
            return False
        return self._close() if self._text[self.at] == "]" else self._value()

    def _first_key(self) -> bool:
        if not self._skip_blanks():
            return False
        return self._close() if self._text[self.at] == "}" else self._next_key()

    def _next_key(self) -> bool:
        if not self._skip_blanks():
            return False
        if self._text[self.at] != '"':
            raise self._expected("a key in double quotes")
        whole = _PLAIN_STRING.match(self._text, self.at)
        if whole:
            self.at = whole.end()
            self._end_key(jsontext.clean(whole[1]))
        else:
            self.at += 1
            self._is_key = True
            self._state = Partial._string
        return True

    def _colon(self) -> bool:
        if not self._skip_blanks():
            return False
        if self._text[self.at] != ":":
            raise self._expected("a colon after the key")
        self.at += 1
        self.named = True
        self._state = Partial._value
        return True

    def _comma(self) -> bool:
        if not self._skip_blanks():
            return False
        mark = self._text[self.at]
        in_array = type(self._top) is list
        if mark == ("]" if in_array else "}"):
            return self._close()
        if mark != ",":
            raise self._expected("a comma or ]" if in_array else "a comma or }")
        self.at += 1
        if in_array:
            self.listed = True
        self._state = Partial._value if in_array else Partial._next_key
        return True

    def _string(self) -> bool:
        content = _CONTENT.match(self._text, self.at)
        if content and content.end() > self.at:
            run = content.group()
            plain = json.loads(f'"{run}"') if "\\" in run else run
            self._token.write(self._joiner.feed(plain))
            self.at = content.end()
        if self.at == len(self._text):
            return False
        mark = self._text[self.at]
        if mark == '"':
            self.at += 1
            self._end_string()
            return True
        if mark != "\\":
            raise self._fail(f"a string may not contain {json.dumps(mark)} unescaped")
        if _CUT_ESCAPE.match(self._text, self.at):
            return False
        raise self._fail("no such escape in JSON: a backslash itself is written \\\\")

    def _number(self) -> bool:
        run = _NUMERIC.match(self._text, self.at)
        assert run
        self._token.write(run.group())
        self._token_length += run.end() - self.at
        self.at = run.end()
        if self._token_length > MAX_DIGITS + 1:
            self.at -= self._token_length - MAX_DIGITS - 1
            raise self._fail(f"a number of more than {MAX_DIGITS} digits")
        if self.at == len(self._text):
            return False
        self._end_number()
        return True

    # What the states are made of.

    def _skip_blanks(self) -> bool:
        if self._text[self.at] not in _BLANKS:
            return True
        blank = _BLANK.match(self._text, self.at)
        assert blank
        self._blanks += blank.end() - self.at
        self.at = blank.end()
        return self.at < len(self._text)

    def _literal(self, word: str, value: bool | None) -> bool:
        found = self._text[self.at : self.at + len(word)]
        if found != word:
            if word.startswith(found):
                return False
            raise self._expected("a value")
        self.at += len(word)
        self._add(value)
        return self._end_value()

    def _begin_string(self) -> bool:
        whole = _PLAIN_STRING.match(self._text, self.at)
        if whole:
            self.at = whole.end()
            self._add(jsontext.clean(whole[1]))
            return self._end_value()
        self.at += 1
        self._add("")
        self._is_key = False
        self._state = Partial._string
        return True

    def _end_string(self) -> None:
        text = self._take_token() + self._joiner.finish()
        if self._is_key:
            self._end_key(text)
        else:
            self._replace(text)
            self._end_value()

    def _end_key(self, key: str) -> None:
        if key in self._top:
            raise self._fail(f"the key {json.dumps(key, ensure_ascii=False)} comes twice")
        self._key = self._keys.setdefault(key, key)
        self._state = Partial._colon

    def _end_number(self) -> None:
        text = self._take_token()
        number = _NUMBER.fullmatch(text)
        if not number:
            raise self._fail(f"{text[:40]} is not a JSON number")
        try:
            value = float(text) if number[1] else int(text)
        except ValueError:  # The interpreter may be told to take fewer digits.
            raise self._fail(f"a number of {len(text)} digits") from None
        if number[1] and math.isinf(value):
            raise self._fail(f"the number {text[:40]} is beyond the range of a float")
        self._add(value)
        self._end_value()

    def _take_token(self) -> str:
        text = self._token.getvalue()
        self._token = StringIO()
        self._token_length = 0
        return text

    def _begin(self, container: Any, state: Callable[[Partial], bool]) -> bool:
        if len(self._open) == MAX_DEPTH:
            raise self._fail(f"the JSON is nested deeper than {MAX_DEPTH} levels")
        self.at += 1
        self._add(container)
        self._open.append(container)
        self._top = container
        self._state = state
        return True

    def _close(self) -> bool:
        self.at += 1
        self._open.pop()
        self._top = self._open[-1] if self._open else None
        return self._end_value()

    def _end_value(self) -> bool:
        self.complete = not self._open
        self._state = Partial._comma
        return True

    def _add(self, value: Any) -> None:
        if type(self._top) is list:
            self._top.append(value)
        else:
            self._replace(value)

    def _replace(self, value: Any) -> None:
        if not self._open:
            self._root = value
            self.begun = True
        elif type(self._top) is list:
            self._top[-1] = value
        else:
            self._top[self._key] = value
