"""Asks a program whether a call may run: `--on-ask exec:COMMAND`.

The program gets the `permission_request` as one JSON line on its stdin, whole, and
answers with one JSON line: `{"answer": "once" | "always" | "no", "text": …}`. There is one
process for each question. Whatever else it does (another exit status, silence, a line
that is no answer, a second line) is a "no", and the model is told why.

The command comes from the user and is found outside the workspace. It runs in `/`, where
no file of a project changes what it does, with the user's environment, but without keys
of providers. It runs under the supervisor of `processes/`, so nothing of it is left when
it has answered, or when the run is cancelled. "always" allows exactly the same call again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from .. import jsontext
from ..errors import Unavailable
from ..events import PermissionRequest
from ..files.programs import find
from ..files.protected import resolved
from ..permissions.approval import Question, Reply, given_reply
from ..processes import spawner
from ..secrets.redaction import Redactor

#: Bytes of an answer: far more than the longest text in it.
LONGEST = 64 * 1024
_DIRECTORY = Path("/")


class _Long(Exception):
    """The program says more than any answer can have."""


class ProgramApprover:
    """An `Approver` that starts a program for each question.

    Raises `Unavailable` if the program cannot be started.
    """

    by = "program"
    #: "always" allows the same call again, and no other.
    exact: ClassVar[bool] = True

    def __init__(
        self,
        words: Sequence[str],
        *,
        workspace: Path,
        environment: Mapping[str, str],
        timeout: float,
        redactor: Redactor,
    ) -> None:
        self._command = [_program(words[0], workspace, environment), *words[1:]]
        self._environment = environment
        self._timeout = timeout
        self._redactor = redactor

    async def __call__(self, question: Question) -> Reply:
        """Return the program's answer, or the "no" that follows from its failure."""
        said = bytearray()

        async def receive(data: bytes) -> None:
            said.extend(data)
            if len(said) > LONGEST:
                raise _Long

        with spawner.as_file(self._line(question)) as request:
            try:
                ended = await spawner.run(
                    self._command,
                    cwd=_DIRECTORY,
                    environment=self._environment,
                    timeout=self._timeout,
                    receive=receive,
                    merge_stderr=False,
                    stdin=request,
                )
            except _Long:
                return _failed(f"wrote more than {LONGEST // 1024} KiB")
            except OSError as error:
                return _failed(f"could not be started: {error.strerror}")
        if ended.reason == "timeout":
            return _failed(f"gave no answer within {self._timeout:g} s")
        if ended.exit_code:
            return _failed(f"ended with exit status {ended.exit_code}")
        return _reply(bytes(said))

    def _line(self, question: Question) -> bytes:
        """Return the request as one line, with the input whole and secrets redacted."""
        hide = self._redactor
        path = question.path
        asked = PermissionRequest(
            tool_name=question.tool_name,
            tool_id=question.tool_id,
            tool_input=hide.value(question.tool_input),
            path=None if path is None else hide.whole(str(path)),
            rule=question.rule,
            reason=hide.whole(question.reason),
        )
        fields = asked.to_dict()
        del fields["seq"], fields["ts"]
        return jsontext.dumps({**fields, "cwd": str(question.cwd)}) + b"\n"


def _reply(said: bytes) -> Reply:
    line, _, rest = said.partition(b"\n")
    if not line.strip():
        return _failed("gave no answer")
    if rest.strip():
        return _failed("wrote more than one line")
    try:
        answer = jsontext.loads(line.decode(), distinct=True)
        if not isinstance(answer, dict):
            raise ValueError("an answer must be a JSON object")
        return given_reply(answer)
    except ValueError as error:
        unreadable = type(error).__name__ in ("JSONDecodeError", "UnicodeDecodeError")
        why = "is not JSON" if unreadable else f"is not valid: {error}"
        return _failed(f"gave an answer that {why}")


def _failed(what: str) -> Reply:
    return Reply("no", failure=f"the approver {what}")


def _program(name: str, workspace: Path, environment: Mapping[str, str]) -> str:
    """Return the path of a program outside the workspace. Raises Unavailable."""
    root = workspace.resolve()
    if "/" not in name:
        found = find(name, environment.get("PATH", ""), [root])
        if found is None:
            raise _unavailable(name, "no such program is installed outside the workspace")
        path = found
    else:
        path = resolved(str(root / Path(name).expanduser()))
        if root != Path("/") and Path(path).is_relative_to(root):
            raise _unavailable(name, "it is inside the workspace, where the model could change it")
    if why := _why_not(path):
        raise _unavailable(name, why)
    return path


def _why_not(path: str) -> str | None:
    """Return why the system would not start a program; None if nothing is in the way."""
    if not os.path.exists(path):
        return "there is no such file"
    if not Path(path).is_file() or not os.access(path, os.X_OK):
        return "it is not executable"
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError:
        return None  # it may be executed, but not read
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].split()
        interpreter = os.fsdecode(words[0]) if words else ""
        if not os.access(interpreter, os.X_OK):
            return f"its interpreter {jsontext.clean(interpreter)[:100]!r} does not exist"
    elif b"\0" not in head:
        return "it is a script without a #! line"
    return None


def _unavailable(name: str, why: str) -> Unavailable:
    return Unavailable(
        f"the approver {jsontext.clean(name)[:200]!r} cannot be started: {why}",
        hint="name an installed program, or the absolute path of one: --on-ask 'exec:COMMAND'",
    )
