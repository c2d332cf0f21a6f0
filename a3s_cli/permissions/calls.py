"""From a tool's call to a decision: what it acts on, where that really is, what the rules say.

A run and `a3s policy test` both come through here, so that what people test is
what they get.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..values import Value
from .policy import Decision, Policy

if TYPE_CHECKING:
    from ..files.workspace import Workspace
    from ..tool_protocol import Subject, Tool
    from .approvals import Approvals


class CallVerdict(Value):
    """What a call acts on, the path of it, resolved, and the decision."""

    subject: Subject
    path: Path | None
    decision: Decision


def decide(
    policy: Policy | Approvals,
    tool: Tool,
    arguments: dict[str, Any],
    workspace: Workspace,
    off_limits: Collection[Path] = (),
    withheld: Collection[Path] = (),
    *,
    confined: bool = False,
) -> CallVerdict:
    """Decide on a call with valid arguments.

    No tool may change what is `off_limits`, nor show or change what is `withheld`, with
    all that lies in there.
    `confined`: there is a sandbox that can hold a command to reading.
    """
    subject = tool.subject(arguments)
    if subject.kind == "command":
        from .places import OnDisk

        places = OnDisk(workspace, off_limits)
        decision = policy.decide(
            tool.name, subject, root=workspace.root, places=places, confined=confined
        )
        return CallVerdict(subject, None, decision)
    if subject.kind != "path":
        decision = policy.decide(tool.name, subject, harmless=tool.harmless, root=workspace.root)
        return CallVerdict(subject, None, decision)
    found = workspace.resolve(subject.value)
    readable = found.readable and tool.reads_skills
    for place in () if readable else withheld:
        if found.path == place or place in found.path.parents:
            reason = f"{subject.value} is denied: {place} holds credentials, and is hidden"
            return CallVerdict(subject, found.path, Decision("deny", "protected", reason))
    decision = policy.decide(
        tool.name,
        subject,
        harmless=tool.harmless,
        path=found.path,
        inside=found.inside or readable,
        root=workspace.root,
        protected=_protected(workspace.root, found.path, off_limits) if tool.writes else None,
    )
    return CallVerdict(subject, found.path, decision)


def _protected(root: Path, path: Path, off_limits: Collection[Path]) -> str | None:
    from ..files.protected import protected

    return protected(root, path, off_limits)
