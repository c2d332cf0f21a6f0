"""Files as the editor has them: with text that is not saved yet, and with its undo.

The policy and the guard stay ours. The editor is asked for a file only where that
file, reached from the workspace's own descriptor and without a link on the way, is a
regular file of UTF-8 text, and the same before and after; never for a protected place
or a name that says that it holds secrets. All other files are read and written on
the disk, as without an editor. What the editor fails to do is the call's failure.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..files.ignore import is_secret
from ..files.protected import protected
from ..files.workspace import Workspace
from ..jsonrpc import Disconnected, Peer, RpcError
from ..tool_protocol import ToolError

#: Bytes of a file that an editor is asked for: larger ones stay on the disk.
LARGEST = 8 * 1024 * 1024

#: What tells one file from another, whatever its name.
_Identity = tuple[int, int]


class EditorBuffers:
    """The files of one session. `reads` and `writes` say what the editor can do."""

    def __init__(self, peer: Peer, session: str, *, reads: bool, writes: bool) -> None:
        self._peer = peer
        self._session = session
        self._reads = reads
        self._writes = writes

    async def read(self, workspace: Workspace, path: Path) -> bytes | None:
        """Return the text of a file as the editor has it; None where it is not to be asked.

        Raises ToolError where the editor fails, and OSError where there is no such file.
        """
        if not self._reads or not _open_to_editors(workspace, path):
            return None
        before = _identity(workspace, path)
        if before is None:
            return None
        said = await self._ask("fs/read_text_file", path, workspace)
        text = said.get("content") if isinstance(said, dict) else None
        if not isinstance(text, str):
            raise ToolError(f"the editor did not return the text of {workspace.show(path)}")
        if _identity(workspace, path) != before:
            raise ToolError(f"{workspace.show(path)} was replaced in the meantime: read it again")
        return text.encode(errors="replace")

    async def write(self, workspace: Workspace, path: Path, content: bytes) -> bool:
        """Have the editor write a file; False where it is not to be asked.

        Raises ToolError where the editor fails.
        """
        if not self._writes or not _open_to_editors(workspace, path):
            return False
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return False
        # What is read-only, no plain file or no text is refused or written on the disk.
        if _there(workspace, path) and not _writable(workspace, path):
            return False
        await self._ask("fs/write_text_file", path, workspace, content=text)
        # A link that was put in the way would have led the editor elsewhere.
        if _there(workspace, path) and _identity(workspace, path) is None:
            raise ToolError(f"{workspace.show(path)} is no longer a regular file")
        return True

    async def _ask(self, method: str, path: Path, workspace: Workspace, **more: str) -> object:
        asked = {"sessionId": self._session, "path": str(path), **more}
        try:
            return await self._peer.request(method, asked)
        except RpcError as error:
            shown = workspace.show(path)
            raise ToolError(f"the editor failed with {shown}: {error.message}") from None
        except Disconnected as error:
            raise ToolError(str(error)) from None


def _open_to_editors(workspace: Workspace, path: Path) -> bool:
    hidden = protected(workspace.root, path) is not None or is_secret(path.parts)
    # A name that is not UTF-8 cannot be said in JSON.
    return not hidden and str(path).isprintable()


def _identity(workspace: Workspace, path: Path) -> _Identity | None:
    """Return what tells this file from others; None where it is none for an editor."""
    with workspace.open_file(path) as file:
        status = os.fstat(file.fileno())
        if status.st_size > LARGEST or status.st_nlink > 1:
            return None
        try:
            file.read().decode()
        except UnicodeDecodeError:
            return None
        return status.st_dev, status.st_ino


def _writable(workspace: Workspace, path: Path) -> bool:
    with workspace.directory(path.parent) as parent:
        writable = os.access(path.name, os.W_OK, dir_fd=parent, follow_symlinks=False)
    return writable and _identity(workspace, path) is not None


def _there(workspace: Workspace, path: Path) -> bool:
    try:
        with workspace.directory(path.parent) as parent:
            os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
