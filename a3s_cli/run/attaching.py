"""Attaches files to the prompt of a plan: reads them, and refuses what cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..config.endpoints import endpoint
from ..config.model_names import LOCAL
from ..errors import A3SError, UsageError
from ..files.workspace import Workspace
from ..input.attachments import MOST, Given, file_of, read_path
from ..messages import File
from ..model import Endpoint
from ..permissions.calls import decide
from ..values import replace
from .plan import Plan, tool_class
from .sight import sees


def attach(plan: Plan, given: Sequence[Given]) -> Plan:
    """Return the plan with these files. Raises UsageError.

    A file that the model is known not to see is refused here, before any request.
    """
    if len(given) > MOST:
        raise UsageError(f"a prompt can have {MOST} attachments, and {len(given)} were given")
    limit: int = plan.config.get("max_attachment_bytes")
    files = [file_of(one, limit, read_path if one.typed else _reader(plan)) for one in given]
    _require_sight(plan, files)
    return replace(plan, attachments=tuple(files))


def _reader(plan: Plan) -> Callable[[str, int], bytes]:
    """Return what reads a path that obeys the rules for `read`."""

    def read(path: str, limit: int) -> bytes:
        workspace = Workspace(plan.workspace)
        off_limits = (plan.record.resolve(),) if plan.record else ()
        verdict = decide(
            plan.policy,
            tool_class("read")(),
            {"file_path": path},
            workspace,
            off_limits,
            plan.confinement.unseen(),
        )
        if verdict.path is None or not workspace.resolve(path).inside:
            raise UsageError(
                f"the attachment {path} is outside the workspace {workspace.root}",
                hint="attach its content",
            )
        if verdict.decision.decision != "allow":
            raise UsageError(
                f"the attachment {path} may not be read: {verdict.decision.reason}",
                hint=verdict.decision.hint or None,
            )
        try:
            with workspace.open_file(verdict.path) as file:
                return file.read(limit + 1)
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise UsageError(f"the attachment {path}: {said}") from None

    return read


def _require_sight(plan: Plan, files: Sequence[File]) -> None:
    shown = [file for file in files if not file.is_text]
    if not shown:
        return
    try:
        where = endpoint(plan.config, plan.model, plan.environment)
    except A3SError:
        return  # The run says what is wrong.
    for file in shown:
        if sees(where, file.media_type) is False:
            what = "images" if file.is_image else "PDF files"
            raise UsageError(
                f"{plan.model} cannot see {what} such as {file.name}",
                hint=f"choose a model that can{_remedy(where, file)}",
            )


def _remedy(where: Endpoint, file: File) -> str:
    """Return the setting to change for a model that can see after all."""
    if where.wire == LOCAL:
        return ""
    if where.quirks.get("attachment") is not False and "modalities" in where.quirks:
        kind = "image" if file.is_image else "pdf"
        return f', or add "{kind}" to the input of its modalities'
    return ", or set attachment = true for this one"
