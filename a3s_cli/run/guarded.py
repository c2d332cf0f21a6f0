"""Reports what the guard of protected places did: notices, and a remark to the model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..events import Notice

if TYPE_CHECKING:
    from ..guard.report import Report

#: Paths of one call that have a notice of their own.
_MOST = 20
_ACCEPT = (
    "--protect tracked keeps what is committed; a rule such as write(.vscode/**) allows the path"
)


def notices(reports: Sequence[Report], tool_id: str) -> list[Notice]:
    """Return the notices of one call: at most `_MOST`, and one for the rest."""
    found = [_notice(report, tool_id) for report in reports[:_MOST]]
    if len(reports) > _MOST:
        text = f"{len(reports) - _MOST} more protected paths were reverted or kept"
        found.append(Notice(code="protected_put_back", text=text, tool_id=tool_id))
    return found


def _notice(report: Report, tool_id: str) -> Notice:
    path = report.path
    if report.kind == "unrecorded":
        text = f"the content of protected files is recorded only in memory ({report.failure})"
        return Notice(code="protected_unrecorded", text=text, tool_id=tool_id, path=path)
    if report.kind == "kept":
        text = f"{path}: a repository that the command created keeps this protected file"
        return Notice(code="protected_kept", text=text, tool_id=tool_id, path=path)
    if report.kind == "committed":
        text = f"{path}: the commit {report.commit} contains a change that was reverted"
    elif report.failure is not None:
        text = f"{path}: a change to this protected path cannot be reverted: {report.failure}"
    elif report.keys:
        text = f"{path}: git settings that run programs were reverted: {', '.join(report.keys)}"
    else:
        text = f"{path}: a change to this protected path was reverted ({_ACCEPT})"
    return Notice(
        code="protected_put_back",
        text=text,
        tool_id=tool_id,
        path=path,
        copy=report.copy,
        commit=report.commit,
        flag="--protect" if report.kind == "put_back" else None,
    )


def remark(reports: Sequence[Report], root: Path) -> str:
    """Return what the model is told: what was reverted, and what not to do about it."""
    names = [_relative(one, root) for one in reports if one.kind == "put_back"]
    lines = []
    if names:
        rest = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        lines.append(
            f"[protected, so your change was reverted: {', '.join(names[:_MOST])}{rest}."
            " Do not commit these paths and do not try again; the user can permit it]"
        )
    for one in reports[:_MOST]:
        if one.kind == "committed":
            lines.append(
                f"[the commit {one.commit} contains a change to {_relative(one, root)} that was"
                " reverted: take it out of the commit]"
            )
    return "\n".join(lines)


def _relative(report: Report, root: Path) -> str:
    name = os.path.relpath(report.path, root)
    keys = f" ({', '.join(report.keys)})" if report.keys else ""
    return name + keys
