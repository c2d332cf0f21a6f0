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
from ..files.git_index import tracked
from ..files.ignore import is_secret
from ..files.walk import Kind, WorkspaceTree
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
    #: The paths in it.
    names: frozenset[str] = field(repr=False)
    #: The files that stay because their names are those of secrets.
    withheld: tuple[str, ...] = ()


def pack(
    workspace: Path, holds_secret: Callable[[str], bool], apart: Path | None = None
) -> Archive:
    """Return the archive of a workspace, without the directory `apart` if that is in there.

    Raises UsageError for a workspace that is too large, a file that cannot be read, a link
    that leads back into the workspace itself, and a file with a secret in its text.
    """
    seen = Workspace(workspace)
    seen.withheld = () if apart is None else (apart.resolve(),)
    withheld: list[str] = []
    kept = list(_without_secrets(_entries(seen), withheld))
    _require_room(kept, workspace)
    sink = _Deflating()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name, kind in kept:
            member, content = _member(seen, name, kind)
            if holds_secret(content.decode("utf-8", "replace")):
                raise UsageError(
                    f"{workspace / name} holds a key, and keys do not leave this machine",
                    hint="take it out, or have git ignore the file",
                )
            tar.addfile(member, BytesIO(content))
    names = frozenset(name for name, _ in kept)
    return Archive(sink.sha256.hexdigest(), sink.finish(), names, tuple(withheld))


def _entries(workspace: Workspace) -> list[tuple[str, Kind]]:
    """Return what git does not ignore, directories before what is in them."""
    found: dict[str, Kind] = {}
    for entry in WorkspaceTree(workspace).walk(workspace.root, Wildcard(EVERYTHING)):
        if entry.kind == "directory" and not os.access(entry.path, os.R_OK | os.X_OK):
            raise UsageError(f"{entry.path} cannot be shipped: it cannot be read")
        if entry.kind != "other":
            found[str(entry.path.relative_to(workspace.root))] = entry.kind
    # Rules do not count for what git knows already.
    for path in map(Path, tracked(str(workspace.root))):
        if path.is_relative_to(workspace.root) and not workspace.withholds(path):
            name = str(path.relative_to(workspace.root))
            if name not in found and (kind := _kind_of(path)):
                above = path.relative_to(workspace.root).parents[:-1]
                found |= {str(one): "directory" for one in above}
                found[name] = kind
    return sorted(found.items(), key=lambda one: os.fsencode(one[0]).split(b"/"))


def _kind_of(path: Path) -> Kind | None:
    """Return what is at a path of the index, if that is a file or a link, and not behind one."""
    if os.path.realpath(path.parent) != str(path.parent):
        return None
    return "link" if path.is_symlink() else "file" if path.is_file() else None


def _without_secrets(
    entries: list[tuple[str, Kind]], withheld: list[str]
) -> Iterator[tuple[str, Kind]]:
    """Yield what is sent; add the names of what stays to `withheld`, a directory as one."""
    for name, kind in entries:
        parts = name.split("/")
        if withheld and name.startswith(f"{withheld[-1]}/"):
            continue
        # Of directories, `id_tools` is none of secrets, but `.envs` may be.
        secret = parts[-1].casefold().startswith(".env") if kind == "directory" else None
        if is_secret(parts) if secret is None else secret:
            withheld.append(name)
        else:
            yield name, kind


def _require_room(entries: list[tuple[str, Kind]], workspace: Path) -> None:
    """Raise UsageError, with the directory that has most, for a workspace that is too large."""
    sizes: Counter[str] = Counter()
    for name, kind in entries:
        sizes[name.partition("/")[0]] += _size(workspace / name) if kind == "file" else 0
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


def _member(workspace: Workspace, name: str, kind: Kind) -> tuple[tarfile.TarInfo, bytes]:
    """Return the head and the content of a file, a link or a directory."""
    member = tarfile.TarInfo(name)
    member.mtime = WHEN
    path, content = workspace.root / name, b""
    try:
        if kind == "link":
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
            _require_no_way_back(path, member.linkname, workspace)
        elif kind == "directory":
            member.type, member.mode = tarfile.DIRTYPE, 0o755
        else:
            with workspace.open_file(path) as file:
                content = file.read()
                mode = os.fstat(file.fileno()).st_mode
            member.mode = 0o755 if mode & stat.S_IXUSR else 0o644
            member.size = len(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be shipped: {error.strerror or error}") from None
    return member, content


def _require_no_way_back(path: Path, target: str, workspace: Workspace) -> None:
    """Raise UsageError for a link by which an item would change the workspace, not its copy."""
    if Path(target).is_absolute() and workspace.resolve(target).inside:
        raise UsageError(
            f"{path} is a link to {target}, which is in the workspace itself and not in a copy",
            hint="make it a relative link",
        )


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
