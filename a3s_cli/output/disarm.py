"""Keeps a CI system from obeying the words of a model or a tool.

The log of a CI job is a command channel. GitHub's runner obeys a line that
begins with `::`, after any white space, on stdout and stderr alike; its older
form `##[…]`, Azure's `##vso[…]` and TeamCity's `##teamcity[…]` are obeyed
anywhere in a line. Its comparisons skip characters of no width. So a backslash
is put before the character that would complete a command: a person still reads
the line, and no runner finds its marker. A heading of Markdown (`## Plan`) is
set off by one space, so that no line begins with the marker at all.
"""

from __future__ import annotations

import re

from .terminal import JOINERS

_ARMED = re.compile(
    rf"^(?=##)"
    rf"|^(?:[^\S\n]|[{JOINERS}])*:[{JOINERS}]*(?=:)"
    rf"|#[{JOINERS}]*#[{JOINERS}]*(?:(?:vso|teamcity)[{JOINERS}]*)?(?=\[)",
    re.MULTILINE | re.IGNORECASE,
)
_JOINERS = re.compile(f"[{JOINERS}]")
#: Longer than any marker; what lies further back cannot be part of one.
_REMEMBERED = 32


class Disarmer:
    """Disarms a stream, however it was cut into pieces.

    `line` is what precedes the stream on its first line, such as a label.
    """

    __slots__ = ("_held", "_line")

    def __init__(self, line: str = "") -> None:
        self._line = line
        self._held = ""

    def feed(self, text: str) -> str:
        """Give the next piece. A `#` that opens a line waits for the character behind it."""
        text, self._held = self._held + text, ""
        if text.endswith("\n#") or (text == "#" and not self._line):
            text, self._held = text[:-1], "#"
        return self._pass(text)

    def flush(self) -> str:
        """Give what still waits, because something else is to be shown."""
        text, self._held = self._held, ""
        return self._pass(text)

    def _pass(self, text: str) -> str:
        before = self._line
        shown = _ARMED.sub(_break, before + text)
        self._line = _remember(shown[shown.rfind("\n") + 1 :])
        return shown[len(before) :]


def disarm(text: str) -> str:
    """Disarm one line that is shown behind a label of ours."""
    return Disarmer(">").feed(text)


def _break(match: re.Match[str]) -> str:
    return match.group() + "\\" if match.group() else " "


def _remember(line: str) -> str:
    """Shorten the line so far without changing whether the next piece would complete a marker."""
    text = _JOINERS.sub("", line).lstrip()
    if len(text) > _REMEMBERED:
        return ">" + text[-_REMEMBERED:]
    return text if text == line else " " + text
