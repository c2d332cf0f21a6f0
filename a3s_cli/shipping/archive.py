"""What leaves this machine of a workspace: the files that git does not ignore, without secrets.

The archive is a tar file whose bytes follow from names, contents, links and the right to
execute alone, so that the same workspace has the same digest on every machine and day.
Neither a repository's own directory is sent, because remotes and hooks may hold
credentials, nor a file whose name is that of a secret; a file with one of our keys in it
ends the matter.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files.ignore import is_secret
from ..files.walk import Entry, WorkspaceTree
from ..files.wildcards import Wildcard
from ..files.workspace import Workspace
from ..values import Value, field

#: Bytes and files of a workspace at most: each machine gets it, and each item a copy.
MOST_BYTES, MOST_FILES = 100 * 1024 * 1024, 50_000
#: The time of every file, in seconds: the second day that a zip file can name anywhere.
WHEN = 315_619_200
EVERYTHING = "**"
_MIB = 1024 * 1024


class Archive(Value):
    """A workspace as it is sent."""

    #: The sha256 of the tar file.
    sha256: str
    #: The tar file, deflated.
    data: bytes = field(repr=False)
    #: The files that stay because their names are those of secrets.
    withheld: tuple[str, ...] = ()


def pack(workspace: Path, holds_secret: Callable[[str], bool]) -> Archive:
    """Return the archive of a workspace.

    Raises UsageError for a workspace that is too large, a file that cannot be read, and a
    file with a secret in its text.
    """
    entries = list(_entries(workspace))
    withheld = [name for name, _ in entries if is_secret(name.split("/"))]
    kept = [(name, one) for name, one in entries if not is_secret(name.split("/"))]
    _require_room(kept, workspace)
    sink = _Deflating()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name, one in kept:
            member, content = _member(workspace, name, one)
            if holds_secret(content.decode("utf-8", "replace")):
                raise UsageError(
                    f"{workspace / name} holds a key, and keys do not leave this machine",
                    hint="take it out, or have git ignore the file",
                )
            tar.addfile(member, BytesIO(content))
    return Archive(sink.sha256.hexdigest(), sink.finish(), tuple(withheld))


def _entries(workspace: Path) -> Iterator[tuple[str, Entry]]:
    """Yield what is sent, directories before what is in them: the path, and what it is."""
    for entry in WorkspaceTree(Workspace(workspace)).walk(workspace, Wildcard(EVERYTHING)):
        if entry.kind != "other":
            yield str(entry.path.relative_to(workspace)), entry


def _require_room(entries: list[tuple[str, Entry]], workspace: Path) -> None:
    """Raise UsageError, with the directory that has most, for a workspace that is too large."""
    sizes: Counter[str] = Counter()
    for name, entry in entries:
        if entry.kind == "file":
            sizes[name.partition("/")[0]] += _size(entry.path)
    whole = sizes.total()
    if whole <= MOST_BYTES and len(entries) <= MOST_FILES:
        return
    largest, size = max(sizes.items(), key=lambda one: one[1])
    raise UsageError(
        f"{workspace} has {len(entries)} files and {whole / _MIB:.0f} MiB, and {MOST_FILES}"
        f" files and {MOST_BYTES / _MIB:.0f} MiB can be shipped; {largest} has {size / _MIB:.0f}",
        hint="name what is not needed in .gitignore",
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _member(workspace: Path, name: str, entry: Entry) -> tuple[tarfile.TarInfo, bytes]:
    """Return the head and the content of a file, a link or a directory."""
    member = tarfile.TarInfo(name)
    member.mtime = WHEN
    path, content = workspace / name, b""
    try:
        if entry.kind == "link":
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
        elif entry.kind == "directory":
            member.type, member.mode = tarfile.DIRTYPE, 0o755
        else:
            with Workspace(workspace).open_file(path) as file:
                content = file.read()
                mode = os.fstat(file.fileno()).st_mode
            member.mode = 0o755 if mode & stat.S_IXUSR else 0o644
            member.size = len(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be shipped: {error.strerror or error}") from None
    return member, content


class _Deflating(RawIOBase):
    """Takes a tar file as it is written: its digest, and its bytes deflated."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._deflate = zlib.compressobj(1)
        self._data = bytearray()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self._data += self._deflate.compress(data)
        return len(data)

    def finish(self) -> bytes:
        return bytes(self._data + self._deflate.flush())


class Arriving:
    """Takes an archive piece by piece, and unpacks it when it is whole."""

    def __init__(self, file: Path) -> None:
        """The tar file is written to `file`."""
        self._file = file.open("wb")
        self._sha256 = hashlib.sha256()
        self._inflate = zlib.decompressobj()

    def take(self, piece: bytes) -> None:
        """Write the next piece. Raises OSError, or ValueError for one that is damaged."""
        try:
            data = self._inflate.decompress(piece)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        self._sha256.update(data)
        self._file.write(data)

    def unpack(self, sha256: str, tree: Path) -> None:
        """Unpack everything into a new directory. Raises OSError, ValueError if it is damaged."""
        self._file.close()
        if self._sha256.hexdigest() != sha256:
            raise ValueError("the archive has another digest than was told")
        tree.mkdir(0o755)
        with tarfile.open(self._file.name, "r:", format=tarfile.GNU_FORMAT) as tar:
            for member in tar:
                _unpack(tar, member, tree)


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, tree: Path) -> None:
    """Create a directory, a link or a file, and never through a link."""
    name = os.path.normpath(member.name)
    if name.startswith(("/", "../")) or os.path.realpath(tree / name, strict=False) != str(
        Path(os.path.realpath(tree)) / name
    ):
        raise ValueError(f"{member.name} leads out of the workspace")
    path = tree / name
    if member.isdir():
        path.mkdir(member.mode)
        return
    if member.issym():
        path.symlink_to(member.linkname)
        return
    content = tar.extractfile(member)
    assert content
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode), "wb") as file:
        file.write(content.read())
    os.utime(path, (WHEN, WHEN))
