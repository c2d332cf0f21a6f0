"""What a prompt wants to be changed and is not yet, as the files themselves show it.

A small model says that it is done when it has made one of two changes, or written the old
value again. Names and values that a prompt spells out can be looked for.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from . import intent

_FROM_TO = re.compile(
    r"\b(?:rename|change|replace)\s+(?:\w+\s+){0,4}?['\"`]?([\w.-]+)['\"`]?\s+(?:to|with|by|into)"
    r"\s+['\"`]?([\w-]+)",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"\bgive\s+(?:the\s+)?(?:(?:function|class|method|variable|constant)\s+)?['\"`]?([\w.-]+)"
    r"['\"`]?\s+(?:in\s+\S+\s+)?(?:the|a)\s+(?:new\s+|better\s+)?name\s+['\"`]?([\w-]+)",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"['\"`]?\b([\w-]+)['\"`]?\s+(?:in\s+\S+\s+)?should\s+be\s+(?:called|named|renamed(?:\s+to)?)"
    r"\s+['\"`]?([\w-]+)",
    re.IGNORECASE,
)
_SET_TO = re.compile(
    r"\b(?:set|change|update|bump|raise|lower|increase|reduce)\b.*\b(?:to|is now|be)\s+"
    r"['\"`]?(\d[\w.]*)",
    re.IGNORECASE,
)
#: The file that something is put into, and is in it then, and one that is to be new.
_PUT = re.compile(
    r"\b(?:save|write|rename|name|move|copy|extract|convert|put|store|export|collect)\b",
    re.IGNORECASE,
)
_FILLED = re.compile(r"\b(?:save|write|extract|convert|store|export|collect)\b", re.IGNORECASE)
_INTO = re.compile(
    r"\b(?:into|to|as|in an?)\s+(?:(?:an?|the|new|file|called|named)\s+)*([`'\"]?\S+)",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"\b(?:create|make|generate|write)\s+(?:(?:a|an|the|me|new|empty|python|shell|json|text|markdown"
    r"|file|script|program|called|named)\s+)*([`'\"]?\S+)",
    re.IGNORECASE,
)


def unmade(prompt: str, workspace: Path) -> str:
    """Return the first file that a prompt wants to be made and that is not there.

    One that something is to be put into is not there while it is empty.
    """
    filled = bool(_FILLED.search(prompt)) and "empty" not in prompt
    for pattern in (_INTO, _NEW) if _PUT.search(prompt) else (_NEW,):
        for match in pattern.finditer(prompt):
            name = intent.name_in(match[1])
            if name and not _is_made(workspace / name, filled=filled and pattern is _INTO):
                return name
    return ""


def _is_made(path: Path, *, filled: bool) -> bool:
    return os.path.lexists(path) and not (filled and path.is_file() and not path.stat().st_size)


def lack(path: Path) -> str:
    """Say what is missing of a file that was to be made."""
    return "is still empty" if path.exists() else "does not exist yet"


def left_over(prompt: str, workspace: Path) -> str:
    """Return what the prompt wants to be replaced and is still there, or to be set and is not."""
    named = intent.files(prompt, workspace)
    if match := _FROM_TO.search(prompt) or _CALLED.search(prompt) or _GIVEN.search(prompt):
        for path in named:
            for number, line in enumerate(text_of(workspace / path).splitlines(), 1):
                if re.search(rf"(?<!\w){re.escape(match[1])}(?!\w)", line):
                    return f"{match[1]} still occurs in {path}, line {number}: {line.strip()[:200]}"
    if len(named) == 1 and not intent.fixes(prompt) and (match := _SET_TO.search(prompt)):
        value = match[1].rstrip(".")
        if value not in text_of(workspace / named[0]):
            return f"{value} does not occur in {named[0]}"
    return ""


def text_of(path: Path) -> str:
    """Return the text of a file; empty if it cannot be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
