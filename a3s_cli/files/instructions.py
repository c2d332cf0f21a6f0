"""What a workspace says of itself: its AGENTS.md, read as data and never followed out of it."""

from __future__ import annotations

from pathlib import Path

from .workspace import NotAFile, Workspace

#: Bytes of the workspace's own instructions.
PROJECT_LIMIT = 32 * 1024


def project_instructions(workspace: Path) -> str:
    """Return the workspace's AGENTS.md, at most 32 KiB of it; empty without a readable one."""
    # A link could point at a secret, a pipe could block: only a plain file inside is read.
    here = Workspace(workspace)
    found = here.resolve("AGENTS.md")
    if not found.inside:
        return ""
    try:
        with here.open_file(found.path) as file:
            return file.read(PROJECT_LIMIT).decode(errors="ignore").strip()
    except (OSError, NotAFile):
        return ""
