"""Which projects the user trusts: one more entry in `trust = [...]` of the user's own file.

The file is somebody's work. Every byte of it stays as it is, comments and order
included, but for the entry; a file that cannot be understood is left alone; and
what is written is read again before it takes the old file's place, in one step.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from ..config import acl
from ..config.file import ConfigFile
from ..config.places import first_file, project_file, project_of, user_paths
from ..errors import ConfigError, UsageError
from ..files.workspace import Workspace, printable

_NEXT_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*|//[^\r\n]*)?(\r\n|\r|\n)([ \t]*)")
_BOM = b"\xef\xbb\xbf"


def trust(directory: str | None, environment: Mapping[str, str]) -> str:
    """Trust a directory, by default the project that a run here would find; say so."""
    real = _real(directory, environment)
    paths = user_paths(environment)
    if not paths:
        raise ConfigError("there is no home for your configuration: HOME is not set")
    found = first_file(paths)
    path = found.path if found else paths[0]
    text = found.text if found else ""
    if real in _trusted(text, path, environment):
        return f"{printable(real)} is trusted already, in {path}\n"
    changed = _added(text, path, real)
    if real not in _trusted(changed, path, environment):
        entry = acl.quoted(printable(real))
        raise ConfigError(f"{path}: cannot be changed by a program; add  trust = [{entry}]")
    _write(path, changed)
    return f"{printable(real)} is trusted now, in {path}\n"


def _real(directory: str | None, environment: Mapping[str, str]) -> str:
    """Give the directory's real path, if it is one that can be trusted."""
    if directory is None:
        found = project_file(Path(), environment)
        directory = project_of(found.path) if found else "."
    real = os.path.realpath(directory)
    try:
        mode = os.stat(real).st_mode
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}") from None
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{directory}: expected a directory, found a file")
    if mode & stat.S_IWOTH:
        raise UsageError(
            f"{printable(real)} cannot be trusted: everybody on this machine may write there",
            hint="chmod o-w",
        )
    try:
        real.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{directory} cannot be trusted: its name is not UTF-8, as your file must be"
        ) from None
    return real


def _trusted(text: str, path: str, environment: Mapping[str, str]) -> set[str]:
    file = ConfigFile(path, environment, "own")
    file.read(text)
    return {os.path.normpath(entry.value) for entry in file.lists["trust"]}


def _added(text: str, path: str, directory: str) -> str:
    """Give the text with one more entry: in the last list that there is, or in a new one."""
    entry = acl.quoted(directory)
    lists = [
        item.value
        for item in acl.parse(text, path).items
        if isinstance(item, acl.Attribute)
        and item.name == "trust"
        and isinstance(item.value.data, list)
    ]
    if not lists:
        newline = "\r\n" if "\r\n" in text else "\n"
        gap = "" if text.endswith(("\n", "\r")) or not text else newline
        return f"{text}{gap}trust = [{entry}]{newline}"
    after = acl.offset(text, lists[-1].line, lists[-1].column) + 1
    head, rest = text[:after], text[after:]
    if line := _NEXT_LINE.match(rest):
        return f"{head}{rest[: line.start(1)]}{line[1]}{line[2]}{entry},{rest[line.start(1) :]}"
    return f"{head}{entry}{', ' if lists[-1].data else ''}{rest}"


def _write(path: str, text: str) -> None:
    """Put the text in the file's place; a link to the file stays a link."""
    real = Path(os.path.realpath(path))
    try:
        marked = real.is_file() and real.read_bytes().startswith(_BOM)
        before = os.umask(0o077)
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            Workspace(real.parent).replace(real, (_BOM if marked else b"") + text.encode())
        finally:
            os.umask(before)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
