"""`a3s trust`: add a project to `trust = [...]` in the user's own configuration.

The file is the user's work: apart from the new entry every byte stays the same,
comments and order included. A file that cannot be parsed is left alone. The new
text is parsed again before it replaces the old file atomically.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..config import acl
from ..config.file import ConfigFile
from ..config.places import first_file, project_file, project_of, user_paths
from ..errors import ConfigError, UsageError
from ..files.workspace import Workspace, printable

_NEXT_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*|//[^\r\n]*)?(\r\n|\r|\n)([ \t]*)")
_BOM = b"\xef\xbb\xbf"


def trust(directory: str | None, environment: Mapping[str, str]) -> str:
    """Trust a directory (by default the project that a run here would find); return a message.

    Raises `UsageError` if the directory cannot be trusted, `ConfigError` if the
    configuration cannot be changed.
    """
    real = _real(directory, environment)
    paths = user_paths(environment)
    if not paths:
        raise ConfigError("there is no place for your configuration: HOME is not set")
    with _alone(paths):
        return _trust(real, paths, environment)


def _trust(real: str, paths: Sequence[str], environment: Mapping[str, str]) -> str:
    found = first_file(paths)
    path = found.path if found else paths[0]
    text = found.text if found else ""
    if real in _trusted(text, path, environment):
        return f"{printable(real)} is already trusted, in {path}\n"
    changed = _added(text, path, real)
    if real not in _trusted(changed, path, environment):
        entry = acl.quoted(printable(real))
        raise ConfigError(f"{path}: cannot be changed automatically; add  trust = [{entry}]")
    _write(path, changed)
    return f"{printable(real)} is now trusted, in {path}\n"


@contextlib.contextmanager
def _alone(paths: Sequence[str]) -> Iterator[None]:
    """Hold the lock on the directory of the first possible file; others wait for it."""
    import fcntl

    directory = Path(os.path.realpath(paths[0])).parent
    descriptor = None
    before = os.umask(0o077)
    with contextlib.suppress(OSError):  # what cannot be written is said when it is written
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.umask(before)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _real(directory: str | None, environment: Mapping[str, str]) -> str:
    """Return the directory's real path; raise `UsageError` if it cannot be trusted."""
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
            f"{printable(real)} cannot be trusted: it is world-writable",
            hint="chmod o-w",
        )
    try:
        real.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{directory} cannot be trusted: its name is not UTF-8") from None
    return real


def _trusted(text: str, path: str, environment: Mapping[str, str]) -> set[str]:
    file = ConfigFile(path, environment, "own")
    file.read(text)
    return {os.path.normpath(entry.value) for entry in file.lists["trust"]}


def _added(text: str, path: str, directory: str) -> str:
    """Return the text with one more entry, in its last `trust` list or in a new one."""
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
    """Replace the file's text atomically; a symbolic link stays a link."""
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
