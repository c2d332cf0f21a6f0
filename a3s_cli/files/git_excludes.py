"""Ignore rules that lie outside of a working tree: the user's own, and the repository's."""

from __future__ import annotations

import os
import re
from pathlib import Path

#: Bytes that are read of one file.
_MOST = 1024 * 1024
_SECTION = re.compile(r"\s*\[\s*([\w.-]+)\s*(\"[^\"]*\")?\s*\]")
_EXCLUDES = re.compile(r"\s*excludesfile\s*=\s*(.*?)\s*(?:[#;].*)?\Z", re.IGNORECASE)


def of_the_user() -> bytes:
    """Return the rules of `core.excludesFile`, or of the file that git uses without it."""
    home = os.environ.get("HOME", "")
    config = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    named = ""
    for file in (
        f"{config}/git/config",
        os.environ.get("GIT_CONFIG_GLOBAL") or f"{home}/.gitconfig",
    ):
        named = _excludes_file(_content(file)) or named
    if named.startswith("~/"):
        named = f"{home}/{named[2:]}"
    return _content(named or f"{config}/git/ignore")


def of_a_repository(directory: Path) -> bytes:
    """Return the rules of `info/exclude` of the repository whose working tree this is."""
    git = directory / ".git"
    if not git.is_dir():
        # A linked working tree, or a submodule: a file of one line says where git keeps it.
        line = _content(str(git)).decode("utf-8", "surrogateescape").strip()
        git = directory / line.removeprefix("gitdir:").strip()
        common = _content(str(git / "commondir")).decode("utf-8", "surrogateescape").strip()
        git = git / common if common else git
    return _content(str(git / "info" / "exclude"))


def _excludes_file(content: bytes) -> str:
    section = found = ""
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        rest = line
        if match := _SECTION.match(line):
            section, rest = match[1].lower() if not match[2] else "", line[match.end() :]
        if section == "core" and (match := _EXCLUDES.match(rest)):
            found = match[1].strip('"')
    return found


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MOST) if os.path.isfile(path) else b""  # noqa: PTH113
    except (OSError, ValueError):
        return b""
