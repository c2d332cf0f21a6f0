"""An editor, made of the protocol's own client library, which validates each message of ours.

It starts the binary as an editor does, keeps what it is told, and answers what it is
asked as the test says.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acp import RequestError, spawn_agent_process
from acp.client.connection import ClientSideConnection
from acp.schema import (
    AllowedOutcome,
    ClientCapabilities,
    DeniedOutcome,
    FileSystemCapabilities,
    InitializeResponse,
    ReadTextFileResponse,
    RequestPermissionResponse,
    WriteTextFileResponse,
)

from ..support.a3s import MODELS, Bench
from ..support.replies import Reply

#: Far beyond anything but a hang.
SOON = 60.0


class Editor:
    """What the client library calls."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.sessions: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.answers: list[str | None] = []
        #: Set once a question has come; one without an answer waits for ever.
        self.question = asyncio.Event()
        #: Texts that are not saved yet, by path; what was read and written, and how it fails.
        self.buffers: dict[str, str] = {}
        self.files: list[tuple[str, str]] = []
        self.failing = False
        self._changed = asyncio.Condition()

    def on_connect(self, connection: Any) -> None:
        pass

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        told = update.model_dump(by_alias=True, exclude_none=True, mode="json")
        async with self._changed:
            self.updates.append(told)
            self.sessions.append(session_id)
            self._changed.notify_all()

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Any, **_: Any
    ) -> RequestPermissionResponse:
        call = tool_call.model_dump(by_alias=True, exclude_none=True, mode="json")
        offered = [one.model_dump(by_alias=True, exclude_none=True, mode="json") for one in options]
        self.asked.append({"session": session_id, "call": call, "options": offered})
        self.question.set()
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            await asyncio.Event().wait()
        if answer == "cancelled":
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        outcome = AllowedOutcome(outcome="selected", option_id=str(answer))
        return RequestPermissionResponse(outcome=outcome)

    async def read_text_file(self, path: str, session_id: str, **_: Any) -> ReadTextFileResponse:
        self.files.append(("read", path))
        if self.failing:
            raise RequestError(-32000, "the buffer is locked")
        return ReadTextFileResponse(content=self.buffers.get(path) or Path(path).read_text())

    async def write_text_file(
        self, content: str, path: str, session_id: str, **_: Any
    ) -> WriteTextFileResponse:
        self.files.append(("write", path))
        if self.failing:
            raise RequestError(-32000, "the buffer is locked")
        self.buffers[path] = content
        Path(path).write_text(content)
        return WriteTextFileResponse()

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        raise RequestError.method_not_found(method)

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        raise AssertionError(f"a notification that is none of the protocol: {method}")

    # -- for tests ---------------------------------------------------------------------

    async def wait_for(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with self._changed:
            await asyncio.wait_for(
                self._changed.wait_for(lambda: any(map(fits, self.updates))), SOON
            )
        return next(one for one in self.updates if fits(one))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.updates if one["sessionUpdate"] == kind]

    def text(self, kind: str = "agent_message_chunk") -> str:
        return "".join(one["content"]["text"] for one in self.of(kind))


class Desk:
    """A connection that is initialized."""

    def __init__(
        self, editor: Editor, connection: ClientSideConnection, process: Any, work: Path
    ) -> None:
        self.editor = editor
        self.connection = connection
        self.process = process
        self.work = work
        self.initialized: InitializeResponse

    async def session(self) -> str:
        made = await self.connection.new_session(cwd=str(self.work), mcp_servers=[])
        return made.session_id

    async def prompt(self, session: str, *blocks: Any) -> Any:
        said = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
        response = await self.raw("session/prompt", sessionId=session, prompt=said)
        # Updates are handled in tasks of the library's; all before the response were sent.
        await asyncio.sleep(0.05)
        return response

    async def raw(self, method: str, **params: Any) -> Any:
        return await asyncio.wait_for(self.connection._conn.send_request(method, params), SOON)


@asynccontextmanager
async def opened(
    bench: Bench,
    *args: str,
    script: Sequence[Reply] = (),
    reads: bool = False,
    writes: bool = False,
    env: dict[str, str] | None = None,
    after: Any = "fail",
) -> AsyncIterator[Desk]:
    """Start `a3s acp` as an editor does, and end it by closing its stdin."""
    server = bench.serve(script, after=after)
    environment = {**bench.environment(server), "A3S_MODEL": MODELS["openai-chat"], **(env or {})}
    editor = Editor()
    command = [sys.executable, "-m", "a3s_cli", "acp", *args]
    spawned = spawn_agent_process(editor, *command, env=environment, cwd=bench.work)
    async with spawned as (connection, process):
        desk = Desk(editor, connection, process, bench.work)
        fs = FileSystemCapabilities(read_text_file=reads, write_text_file=writes)
        desk.initialized = await asyncio.wait_for(
            connection.initialize(
                protocol_version=1, client_capabilities=ClientCapabilities(fs=fs)
            ),
            SOON,
        )
        yield desk
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), SOON) in (0, None)
    assert server.unexpected == 0


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 2 * SOON))
