"""What the file tools share: failures in plain words, bounded lines, one page of output."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from ..files.workspace import NotAFile, Workspace, printable
from ..tool_protocol import Subject, Tool, ToolContext, ToolError, ToolReturn

#: What one call gives at most: under the 48 KiB at which the middle would be cut out.
PAGE_BYTES = 46 * 1024
#: Where a file has no NUL in here, it is text; the same part that git looks at.
BINARY_PROBE = 8000
#: Names of a directory among which a misspelt one is looked for.
_CANDIDATES = 5000


class FileTool(Tool):
    """A tool that acts on the file `file_path`."""

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("path", arguments["file_path"])


class SearchTool(Tool):
    """A tool that looks at the directory `path`, by default the workspace."""

    harmless: ClassVar[bool] = True

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("path", arguments.get("path", "."))


async def as_edited(context: ToolContext, path: Path, file: BinaryIO) -> BinaryIO:
    """Return an open file's content as an editor has it, or the file. Raises OSError."""
    held = await context.buffers.read(context.workspace, path) if context.buffers else None
    if held is None:
        return file
    import io

    return io.BufferedReader(io.BytesIO(held))


async def replace(context: ToolContext, path: Path, content: bytes) -> None:
    """Replace a file's content, in an editor if there is one. Raises OSError."""
    buffers = context.buffers
    if buffers is None or not await buffers.write(context.workspace, path, content):
        context.workspace.replace(path, content)


@contextlib.contextmanager
def explained(context: ToolContext, path: Path) -> Iterator[None]:
    """Turn what the system says of a file into one sentence for the model."""
    try:
        yield
    except OSError as error:
        raise ToolError(_sentence(error, path, context.workspace)) from error


def names_file(path: Path) -> bool:
    """Return whether a pattern, read as a path, is that of a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than any name, or with a NUL
        return False


def _sentence(error: OSError, path: Path, workspace: Workspace) -> str:
    shown = workspace.show(path)
    if isinstance(error, FileNotFoundError):
        near = _nearest(workspace, path)
        return f"{shown} does not exist" + (f"; did you mean {near}?" if near else "")
    if isinstance(error, IsADirectoryError):
        return f"{shown} is a directory: ls lists it"
    if isinstance(error, NotADirectoryError):
        return f"{shown}: a part of this path is not a directory"
    if error.errno == errno.ELOOP:
        return f"{shown}: its symlinks do not end anywhere, or were changed meanwhile"
    if isinstance(error, NotAFile):
        return f"{shown} cannot be used: {error}"
    return f"{shown}: {(error.strerror or str(error)).lower()}"


def _nearest(workspace: Workspace, path: Path) -> str | None:
    """Return the existing path whose first differing component is nearest to the wanted one."""
    from difflib import get_close_matches

    here, differs = workspace.root, False
    for wanted in path.relative_to(here).parts if path.is_relative_to(here) else ():
        try:
            with workspace.directory(here) as descriptor:
                names = os.listdir(descriptor)  # no path, a descriptor
        except OSError:
            return None
        if wanted not in names:
            same = [name for name in names if _folded(name) == _folded(wanted)]
            if same:
                # In another case or form: the rest may be there as it was asked for.
                here, differs = here / same[0], True
                continue
            close = get_close_matches(wanted, names[:_CANDIDATES], n=1)
            return workspace.show(here / close[0] if close else here) if close or differs else None
        here /= wanted
    return workspace.show(here) if differs else None


def _folded(name: str) -> str:
    """Return a name without case and Unicode form."""
    from unicodedata import normalize

    return normalize("NFKC", name).casefold()


async def lines(file: BinaryIO, limit: int) -> AsyncIterator[tuple[bytes, int]]:
    """Yield each line without its newline: at most `limit` bytes, and how many are left out."""
    from asyncio import sleep

    while piece := file.readline(limit + 1):
        line = piece.removesuffix(b"\n")
        dropped = max(0, len(line) - limit)
        if not piece.endswith(b"\n"):
            while more := file.readline(1024 * 1024):
                dropped += len(more.removesuffix(b"\n"))
                if more.endswith(b"\n"):
                    break
                # A line may be as long as a disk: signals and deadlines must get through.
                await sleep(0)
        yield line[:limit], dropped


def is_binary(file: BinaryIO) -> bool:
    """Whether a file just opened holds something else than text; does not move in it."""
    start: bytes = file.peek(BINARY_PROBE)[:BINARY_PROBE]  # type: ignore[attr-defined]
    return b"\0" in start


def searchable(file: BinaryIO) -> BinaryIO | None:
    """Return the text of a file just opened, behind its mark; None if it is binary.

    UTF-16 with a mark comes as UTF-8.
    """
    from ..files.text import form_of

    form = form_of(file.peek(4)[:4])  # type: ignore[attr-defined]
    file.read(len(form.bom))
    if form.encoding == "utf-8":
        return None if is_binary(file) else file
    return BytesIO(file.read().decode(form.encoding, "replace").encode())


def remember(context: ToolContext, path: Path, file: BinaryIO | None = None) -> None:
    """Note how a file is that the model now knows."""
    context.workspace.seen[path] = _stamp(os.fstat(file.fileno()) if file else path.stat())


def demand_unchanged(context: ToolContext, path: Path, file: BinaryIO) -> None:
    """Refuse a file that is not any more as the model knows it."""
    known = context.workspace.seen.get(path)
    if known is not None and known != _stamp(os.fstat(file.fileno())):
        shown = context.workspace.show(path)
        raise ToolError(f"{shown} has changed on disk since it was last read: read it again")


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size


def encoded(text: str, argument: str) -> bytes:
    """Return the bytes of an argument; a lone surrogate has none."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(
            f"{argument} is not Unicode text: it holds a lone surrogate at character {error.start}"
        ) from None


def changed(path: Path, content: bytes, output: str) -> ToolReturn:
    """Describe the file that a call has written."""
    from hashlib import sha256

    return ToolReturn(output, path=printable(str(path)), sha256=sha256(content).hexdigest())


def plural(count: int, noun: str) -> str:
    """Say how many, in words that agree."""
    if count == 1:
        return f"1 {noun}"
    ending = "es" if noun.endswith(("s", "ch")) else "s"
    stem = noun[:-1] + "ie" if noun.endswith("ry") else noun
    return f"{count} {stem}{ending}"
