"""bash: run a script and stream what it prints, in its true order.

stdout and stderr share one pipe, so their order is the command's own. Complete
lines leave as soon as they are there; a partial line (a prompt, a progress dot)
waits a tenth of a second for the rest. The bytes are the command's: no newline
is added and a character is never cut in two.
"""

from __future__ import annotations

import copy
import os
from typing import Any, ClassVar

from ..messages import ToolSpec
from ..tool_protocol import Conditions, Subject, Tool, ToolContext, ToolReturn
from ..values import replace

#: Bytes of one script: what Linux allows a single argument to be, less its terminator.
LONGEST = 128 * 1024 - 1
#: Seconds that a partial line waits for its newline.
PARTIAL_LINE = 0.1


class Bash(Tool):
    """Run a bash script in the workspace."""

    runs_programs = True
    name = "bash"
    description = (
        "Run a bash script in the workspace. stdin is empty; stdout and stderr come back together. "
        "Processes it leaves behind are killed, and `cd` and `export` do not last."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "command": {"type": "string", "minLength": 1},
            "timeout": {
                "type": "integer",
                "minimum": 1,
                "maximum": 86400000,
                "description": "milliseconds",
            },
        },
        "required": ["command"],
        "additionalProperties": False,
    }

    def spec(self, conditions: Conditions | None = None) -> ToolSpec:
        """Say as well where commands may write, and after what time they are killed."""
        spec = super().spec(conditions)
        if conditions is None:
            return spec
        description = f"{self.description} A script is killed after {conditions.timeout:g} s."
        if conditions.writable:
            description += (
                f" Commands can write {conditions.writable}; /tmp is private to this run."
            )
        parameters = copy.deepcopy(self.parameters)
        parameters["properties"]["timeout"]["maximum"] = max(1, int(conditions.timeout * 1000))
        return replace(spec, description=description, parameters=parameters)

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("command", arguments["command"])

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """Say as well what cannot be handed to a program, and what can."""
        found = super().problems(arguments)
        command = arguments.get("command")
        if isinstance(command, str) and "\0" in command:
            found.append("command: it contains a NUL byte, which cannot be passed to a program")
        if isinstance(command, str) and len(command.encode()) > LONGEST:
            found.append(f"command: longer than {LONGEST} bytes: write it to a file and run that")
        return found

    def deadline(self, context: ToolContext) -> float | None:
        return None  # `process.run` keeps the deadline, so that what was printed is not lost.

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        from ..processes import spawner

        wanted = arguments.get("timeout", 86_400_000) / 1000
        lines = Lines(context)
        options: dict[str, Any] = {
            "cwd": context.workspace.root,
            "environment": _environment(context),
            "timeout": min(wanted, context.timeout),
            "receive": lines.feed,
        }
        argv = [_bash(context), "-c", arguments["command"]]
        try:
            if context.sandbox:
                finished = await context.sandbox.run(argv, **options, report=context.report)
            else:
                finished = await spawner.run(argv, **options)
        finally:
            lines.finish()
        capped = finished.reason == "timeout" and wanted >= context.timeout
        remark = f"[{context.timeout:g} s is the most that a call may take here]" if capped else ""
        return ToolReturn(
            None, finished.exit_code, finished.reason, remark=remark, changed=finished.changed
        )


def _environment(context: ToolContext) -> dict[str, str]:
    """Return the commands' environment; a run that one of them starts learns of this one."""
    parent = {"A3S_PARENT_RUN_ID": context.run_id} if context.run_id else {}
    return {**context.environment, **parent}


def _bash(context: ToolContext) -> str:
    """Return bash as the user has it, never one that the model could have written."""
    from ..files.programs import find

    path = context.environment.get("PATH", "") or os.defpath
    # Where there is none the usual failure to start it says so.
    return find("bash", path, [context.workspace.root]) or "/bin/bash"


class Lines:
    """Turns a command's bytes into deltas: whole lines at once, the rest after a while."""

    def __init__(self, context: ToolContext) -> None:
        from asyncio import TimerHandle, get_running_loop
        from codecs import getincrementaldecoder

        self._context = context
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._loop = get_running_loop()
        self._partial = ""
        self._timer: TimerHandle | None = None

    async def feed(self, data: bytes) -> None:
        """Take the bytes of one read."""
        text = self._partial + self._decoder.decode(data)
        whole = text.rfind("\n") + 1
        self._partial = text[whole:]
        if whole:
            self._context.output(text[:whole])
            await self._context.drain()
        self._stop_timer()
        if self._partial:
            self._timer = self._loop.call_later(PARTIAL_LINE, self._show_partial)

    def finish(self) -> None:
        """Show what is left: there will be no newline."""
        self._stop_timer()
        self._partial += self._decoder.decode(b"", final=True)
        self._show_partial()

    def _show_partial(self) -> None:
        text, self._partial = self._partial, ""
        if text:
            self._context.output(text)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
