"""What a project says of itself: AGENTS.md, from the repository's root down to the workspace.

They are read as data, and no link leads out of the repository. Where a directory has
no AGENTS.md its CLAUDE.md counts. What cannot be used is told, never passed over in
silence.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..values import Value

#: Bytes of a project's own instructions; the nearest ones count first.
PROJECT_LIMIT = 32 * 1024
NAMES = ("AGENTS.md", "CLAUDE.md")


class Instructions(Value):
    """The text for the model, and what could not be read: the file, and why, in a sentence."""

    text: str = ""
    unread: tuple[tuple[str, str], ...] = ()


def project_instructions(workspace: Path) -> Instructions:
    """Return what the files of the project say, the nearest last."""
    top, found = _files(str(workspace))
    if not found:
        return Instructions()
    texts: list[str] = []
    unread: list[tuple[str, str]] = []
    room = PROJECT_LIMIT
    for path in reversed(found):
        shown = os.path.relpath(path, workspace)
        content, why = _read(Path(top), path)
        if not why and len(content) > room:
            content, why = content[:room], f"it is cut after {room} bytes"
        if why:
            unread.append((path, f"{shown}: {why}"))
        room -= len(content)
        text = content.decode("utf-8", "ignore").strip()
        if text:
            texts.insert(0, text if len(found) == 1 else f"# {shown}\n{text}")
    return Instructions("\n\n".join(texts), tuple(unread))


def _files(workspace: str) -> tuple[str, list[str]]:
    """Return the repository's root, or the workspace, and the files from there on down."""
    directories = [workspace]
    while not os.path.lexists(f"{directories[-1]}/.git"):
        above = os.path.dirname(directories[-1])  # noqa: PTH120
        if above == directories[-1]:
            directories = [workspace]
            break
        directories.append(above)
    found = []
    for directory in reversed(directories):
        for name in NAMES:
            if os.path.lexists(f"{directory}/{name}"):
                found.append(f"{directory}/{name}")
                break
    return directories[-1], found


def _read(top: Path, path: str) -> tuple[bytes, str]:
    """Return a file's text in UTF-8, or why there is none."""
    # A link could point at a secret, a pipe could block: only a plain file inside is read.
    from .text import form_of
    from .workspace import Workspace

    here = Workspace(top)
    target = here.resolve(path)
    if not target.inside:
        return b"", "a link that leads out of the repository is not followed"
    try:
        with here.open_file(target.path) as file:
            content = file.read(PROJECT_LIMIT + 1)
            form = form_of(content)
            if form.encoding != "utf-8":
                # Up to four bytes are one character.
                content += file.read(3 * PROJECT_LIMIT + 8)
    except OSError as error:
        return b"", f"it cannot be read: {(error.strerror or str(error)).lower()}"
    if form.encoding != "utf-8":
        text = content[len(form.bom) :].decode(form.encoding, "ignore")
        return text.encode("utf-8", "ignore"), ""
    try:
        content[:PROJECT_LIMIT].decode()
    except UnicodeDecodeError as error:
        if error.start < len(content) - 4:
            return b"", "it is not UTF-8 text"
    return content.removeprefix(b"\xef\xbb\xbf"), ""
