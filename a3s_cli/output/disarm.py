"""Stops a CI system from executing commands in the text of a model or a tool.

The log of a CI job is a command channel. GitHub's runner executes a line that
begins with `::`, after any white space, on stdout and stderr alike; its older
form `##[…]`, Azure's `##vso[…]` and TeamCity's `##teamcity[…]` work anywhere in
a line. The comparison skips zero-width characters. A backslash is therefore
inserted before the character that would complete a command: the line stays
readable, and no runner finds its marker. A Markdown heading (`## Plan`) gets a
leading space, so that no line begins with the marker.
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
#: Characters, more than in any marker; earlier ones cannot be part of one.
_REMEMBERED = 32


class Disarmer:
    """Disarm a stream that arrives in arbitrary pieces.

    `line` is the text before the stream on its first line, such as a label.
    """

    __slots__ = ("_held", "_line")

    def __init__(self, line: str = "") -> None:
        self._line = line
        self._held = ""

    def feed(self, text: str) -> str:
        """Disarm the next piece. A `#` at the start of a line is held until the next character."""
        text, self._held = self._held + text, ""
        if text.endswith("\n#") or (text == "#" and not self._line):
            text, self._held = text[:-1], "#"
        return self._pass(text)

    def flush(self) -> str:
        """Return what is still held, because other text is shown next."""
        text, self._held = self._held, ""
        return self._pass(text)

    def _pass(self, text: str) -> str:
        before = self._line
        shown = _ARMED.sub(_break, before + text)
        self._line = _remember(shown[shown.rfind("\n") + 1 :])
        return shown[len(before) :]


def disarm(text: str) -> str:
    """Disarm one line that follows a label of ours."""
    return Disarmer(">").feed(text)


def _break(match: re.Match[str]) -> str:
    return match.group() + "\\" if match.group() else " "


def _remember(line: str) -> str:
    """Shorten the line so far; what the next piece could complete stays the same."""
    text = _JOINERS.sub("", line).lstrip()
    if len(text) > _REMEMBERED:
        return ">" + text[-_REMEMBERED:]
    return text if text == line else " " + text
