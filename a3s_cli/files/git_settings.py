"""Reads git's configuration files as git does.

Pure: text in, settings out, each with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

#: What git takes for space, which is less than Unicode does.
_SPACE = " \t\n\r\v\f"
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}


class Malformed(ValueError):
    """Git would refuse to read this file."""


class Entry(NamedTuple):
    """One setting: its section as written, its name in lower case, its value, and its place.

    `name` is `section.key` or `section.subsection.key`. `start` and `end` bound the
    setting's own text; `header` is the section's line.
    """

    name: str
    value: str | None
    start: int
    end: int
    header: str

    @property
    def pattern(self) -> str:
        """The name with its subsection, which may be anything, as `*`."""
        section, _, rest = self.name.partition(".")
        _, dot, key = rest.rpartition(".")
        return f"{section}.*.{key}" if dot else self.name


def value_of(content: bytes, name: str) -> str | None:
    """Return the last value of a setting; None where there is none or nothing can be read."""
    found = None
    try:
        for entry in entries(text_of(content)):
            if entry.name == name:
                found = entry.value
    except Malformed:
        return None
    return found


def text_of(content: bytes) -> str:
    """Return a file's text, whatever its bytes are."""
    return content.decode("utf-8", "surrogateescape")


def entries(text: str) -> Iterator[Entry]:
    """Read every setting of a file; raise Malformed where git would."""
    reader = _Reader(text)
    while (entry := reader.entry()) is not None:
        yield entry


class _Reader:
    """Goes through one file, character by character, as git's own reader does."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("\ufeff") else 0
        self._section: str | None = None
        self._header = ""

    def entry(self) -> Entry | None:
        """Return the next setting, None at the end."""
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character in _SPACE:
                self._at += 1
            elif character in "#;":
                self._skip_line()
            elif character == "[":
                self._read_header()
            else:
                return self._setting()
        return None

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end + 1

    def _read_header(self) -> None:
        text, start = self._text, self._at
        self._at += 1
        name, quoted = "", None
        while True:
            character = self._next()
            if character == "]":
                break
            if character in _SPACE and quoted is None and character != "\n":
                quoted = self._subsection()
                break
            if not (character.isalnum() or character in "-."):
                raise Malformed("a section's name")
            name += character
        self._header = text[start : self._at]
        section, dot, rest = name.lower().partition(".")
        if quoted is not None:
            self._section = f"{name.lower()}.{quoted}"
        else:
            self._section = f"{section}.{rest}" if dot else section
        if not section:
            raise Malformed("a section without a name")

    def _subsection(self) -> str:
        character = self._next()
        while character in _SPACE and character != "\n":
            character = self._next()
        if character != '"':
            raise Malformed("a subsection")
        found = ""
        while (character := self._next()) != '"':
            if character == "\n":
                raise Malformed("a subsection")
            found += self._next() if character == "\\" else character
        if self._next() != "]":
            raise Malformed("a section's end")
        return found

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise Malformed("the end of the file")
        self._at += 1
        return self._text[self._at - 1]

    def _setting(self) -> Entry:
        text, start = self._text, self._at
        if not text[start].isalpha():
            raise Malformed("a setting")
        while self._at < len(text) and (text[self._at].isalnum() or text[self._at] == "-"):
            self._at += 1
        key = text[start : self._at].lower()
        while self._at < len(text) and text[self._at] in " \t\r\v\f":
            self._at += 1
        value = None
        if self._at < len(text) and text[self._at] == "=":
            self._at += 1
            value = self._value()
        elif self._at < len(text) and text[self._at] in "#;":
            self._skip_line()
        elif self._at < len(text) and text[self._at] != "\n":
            raise Malformed("a setting")
        name = key if self._section is None else f"{self._section}.{key}"
        return Entry(name, value, start, self._at, self._header)

    def _value(self) -> str:
        text, found, quoted = self._text, "", False
        kept = 0
        while self._at < len(text) and text[self._at] != "\n":
            character = text[self._at]
            self._at += 1
            if character == "\\":
                found += self._escape()
                kept = len(found)
            elif character == '"':
                quoted = not quoted
                kept = len(found)
            elif character in "#;" and not quoted:
                self._at -= 1
                self._skip_line()
                self._at -= 1 if text[self._at - 1] == "\n" else 0
                break
            elif character in _SPACE and not quoted:
                found += character if found else ""
            else:
                found += character
                kept = len(found)
        if quoted:
            raise Malformed("a quoted value")
        return found[:kept]

    def _escape(self) -> str:
        if self._at >= len(self._text):
            return ""  # git ends the last line itself, and goes on after it
        character = self._next()
        if character == "\r" and self._text[self._at : self._at + 1] == "\n":
            character = self._next()
        if character == "\n":
            return ""
        if character not in _ESCAPES:
            raise Malformed("an escape")
        return _ESCAPES[character]
