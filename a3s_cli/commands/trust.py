"""`a3s trust`: add a project to `trust = [...]` in the user's own configuration.

The entry has a hash of what may act in the project (`config.trusted`), so that the trust
ends with the next change of it; the command then replaces the entry. The file is the
user's work: apart from the entry every byte stays the same, comments and order included.
A file that cannot be parsed is left alone. The new text is parsed again before it
replaces the old file atomically.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..config import acl, trusted
from ..config.file import ConfigFile
from ..config.mcp_files import NAME, servers_in
from ..config.places import first_file, project_file, project_of, read, user_paths
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
    _require_readable(real, environment)
    found = first_file(paths)
    path = found.path if found else paths[0]
    text = found.text if found else ""
    entry = _entry(real)
    if entry in _entries(text, path, environment):
        return f"{printable(real)} is already trusted, in {path}\n"
    changed = _replaced(text, path, real, entry) or _added(text, path, entry)
    if entry not in _entries(changed, path, environment):
        line = acl.quoted(printable(entry))
        raise ConfigError(f"{path}: cannot be changed automatically; add  trust = [{line}]")
    _write(path, changed)
    return f"{printable(real)} is now trusted, in {path}\n"


def _require_readable(real: str, environment: Mapping[str, str]) -> None:
    """Raise `ConfigError` for a project whose files a run could not read."""
    try:
        if found := read(os.path.join(real, trusted.CONFIG)):
            ConfigFile(found.path, environment, "trusted").read(found.text)
        if found := read(os.path.join(real, NAME)):
            servers_in(found)
    except ConfigError as error:
        raise ConfigError(
            f"{printable(real)} cannot be trusted, because a run could not read it: {error}"
        ) from None


def _entry(real: str) -> str:
    try:
        return trusted.written(real, trusted.project_sha256(real))
    except trusted.Uncovered as why:
        raise UsageError(f"{printable(real)} cannot be trusted: {why}") from None


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
        directory = project_of(found.path) if found else _nearest_actors()
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


def _nearest_actors() -> str:
    """Return the nearest directory, up to the repository's root, with something to trust."""
    here = directory = os.path.realpath(".")
    while not trusted.has_actors(directory):
        above = os.path.split(directory)[0]
        if above == directory or os.path.lexists(os.path.join(directory, ".git")):
            return here
        directory = above
    return directory


def _entries(text: str, path: str, environment: Mapping[str, str]) -> set[str]:
    file = ConfigFile(path, environment, "own")
    file.read(text)
    return {setting.value for setting in file.lists["trust"]}


def _lists(text: str, path: str) -> list[acl.AclValue]:
    items = acl.parse(text, path).items
    return [
        item.value for item in items if isinstance(item, acl.Attribute) and item.name == "trust"
    ]


def _replaced(text: str, path: str, directory: str, entry: str) -> str | None:
    """Return the text with the entry in the place of the directory's last one, if it has one."""
    for value in reversed(_lists(text, path)):
        for one in reversed(value.data if isinstance(value.data, list) else [value]):
            if not isinstance(one.data, str) or trusted.entry_of(one.data).directory != directory:
                continue
            start = acl.offset(text, one.line, one.column)
            return text[:start] + acl.quoted(entry) + text[acl.end_of_string(text, start) :]
    return None


def _added(text: str, path: str, entry: str) -> str:
    """Return the text with one more entry, in its last `trust` list or in a new one."""
    quoted = acl.quoted(entry)
    lists = [value for value in _lists(text, path) if isinstance(value.data, list)]
    if not lists:
        newline = "\r\n" if "\r\n" in text else "\n"
        gap = "" if text.endswith(("\n", "\r")) or not text else newline
        return f"{text}{gap}trust = [{quoted}]{newline}"
    after = acl.offset(text, lists[-1].line, lists[-1].column) + 1
    head, rest = text[:after], text[after:]
    if line := _NEXT_LINE.match(rest):
        return f"{head}{rest[: line.start(1)]}{line[1]}{line[2]}{quoted},{rest[line.start(1) :]}"
    return f"{head}{quoted}{', ' if lists[-1].data else ''}{rest}"


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
