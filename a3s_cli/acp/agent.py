"""What the agent does for an editor: a method of the protocol each, and no more is advertised."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import A3SError
from ..jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND, Peer, RpcError
from ..output.writer import Writer
from ..run.request import RunRequest
from ..values import replace
from ..version import __version__
from .blocks import blocks_of, prompt_of
from .conversation import Conversation, Editor, failure, refused
from .modes import modes, state
from .servers import servers

VERSION = 1
#: Sessions of one page of a list.
PAGE = 100
#: The authentication methods: that of the configuration, and keys in the environment.
CONFIGURED, KEYS = "config", "env"

Params = Mapping[str, Any]


class Agent:
    """One editor's agent: any number of sessions over one connection."""

    def __init__(self, template: RunRequest, writer: Writer, *, full: bool) -> None:
        self._template = template
        self._writer = writer
        self._modes = modes(full=full)
        self._conversations: dict[str, Conversation] = {}
        self._editor: Editor | None = None
        #: The connection; it needs the agent first.
        self.peer: Peer

    def request(self, method: str, params: Params) -> Awaitable[Any]:
        """Answer a request of the editor."""
        found = _METHODS.get(method)
        if found is None:
            raise RpcError(METHOD_NOT_FOUND, f"there is no method {method[:100]!r}")
        return found(self, params)

    def notification(self, method: str, params: Params) -> None:
        """Take note: only a cancel means anything."""
        if method == "session/cancel":
            id = params.get("sessionId")
            if isinstance(id, str) and id in self._conversations:
                # A prompt that came in the same read has its first step before this.
                asyncio.get_running_loop().call_soon(self._conversations[id].cancel)

    async def close(self) -> None:
        """Cancel every run, and wait until nothing of them is left."""
        for conversation in self._conversations.values():
            conversation.cancel()
        await asyncio.gather(*(one.gone() for one in self._conversations.values()))

    # -- the connection ----------------------------------------------------------------

    async def _initialize(self, params: Params) -> Any:
        can = params.get("clientCapabilities")
        fs = can.get("fs") if isinstance(can, dict) else None
        fs = fs if isinstance(fs, dict) else {}
        reads, writes = fs.get("readTextFile") is True, fs.get("writeTextFile") is True
        self._editor = Editor(self.peer, self._writer, reads, writes)
        return {
            "protocolVersion": VERSION,
            "agentInfo": {"name": "a3s", "title": "a3s", "version": __version__},
            "agentCapabilities": {
                "loadSession": True,
                "promptCapabilities": {"embeddedContext": True, "image": self._sees_images()},
                "mcpCapabilities": {"http": True, "sse": False},
                "sessionCapabilities": {"list": {}, "resume": {}, "fork": {}, "close": {}},
            },
            "authMethods": [
                {
                    "id": CONFIGURED,
                    "name": "Configuration of a3s",
                    "description": "A model and its key in the configuration, or the local model",
                },
                _keys(),
            ],
        }

    def _sees_images(self) -> bool:
        """Return whether the configured model may see images; the editor may choose another."""
        from ..config.endpoints import endpoint
        from ..run.plan import chosen_model, load_config
        from ..run.sight import sees

        try:
            config = load_config(self._template)
            where = endpoint(config, chosen_model(config, os.environ), os.environ)
        except A3SError:
            return False
        return sees(where, "image/png") is not False

    async def _authenticate(self, params: Params) -> Any:
        if params.get("methodId") not in (CONFIGURED, KEYS):
            raise RpcError(INVALID_PARAMS, f"`methodId` must be {CONFIGURED!r} or {KEYS!r}")
        from ..config.endpoints import endpoint

        try:
            _, plan = Conversation("", self._template, self._other_end()).plan()
            endpoint(plan.config, plan.model, plan.environment)
        except A3SError as error:
            raise failure(error) from None
        return {}

    # -- sessions ----------------------------------------------------------------------

    async def _new(self, params: Params) -> Any:
        from ..sessions.ids import new_id

        conversation = self._made(new_id(), params)
        return {"sessionId": conversation.id, **self._state(conversation)}

    async def _load(self, params: Params) -> Any:
        from ..sessions.spill import read_spilled
        from ..stream.reader import event_of

        conversation = self._known(params)
        content_of = partial(read_spilled, self._store().spilled(conversation.id))
        updates = conversation.updates()
        for number, event in enumerate(_events(conversation.id, event_of)):
            if event.type == "start":
                for block in blocks_of(event, content_of):
                    conversation.send({"sessionUpdate": "user_message_chunk", "content": block})
            updates.accept([event])
            if number % 100 == 0:
                await self._writer.drain()
        return self._state(conversation)

    async def _resume(self, params: Params) -> Any:
        return self._state(self._known(params))

    async def _fork(self, params: Params) -> Any:
        from ..sessions.ids import new_id

        store, id = self._store(), _string(params, "sessionId")
        try:
            store.known(id)
            conversation = self._made(new_id(), params)
            file, _ = store.fork(id, conversation.workspace, into=conversation.id)
            file.close()
        except A3SError as error:
            raise failure(error) from None
        return {"sessionId": conversation.id, **self._state(conversation)}

    async def _list(self, params: Params) -> Any:
        from ..sessions.listing import summaries

        store, cwd, cursor = self._store(), params.get("cwd"), params.get("cursor") or "0"
        if not isinstance(cursor, str) or not cursor.isdecimal():
            raise RpcError(INVALID_PARAMS, "`cursor` is not one that a3s gave out")
        ids = store.recent.sessions(*([str(Path(cwd).resolve())] if isinstance(cwd, str) else []))
        begin = int(cursor)
        rows = summaries(store, ids[begin : begin + PAGE], None)
        more = {"nextCursor": str(begin + PAGE)} if len(ids) > begin + PAGE else {}
        return {"sessions": [_info(row) for row in rows], **more}

    async def _close(self, params: Params) -> Any:
        conversation = self._open(params)
        conversation.cancel()
        await conversation.gone()
        self._conversations.pop(conversation.id, None)
        return {}

    # -- in a session ------------------------------------------------------------------

    async def _prompt(self, params: Params) -> Any:
        conversation = self._open(params)
        return await conversation.prompt(*prompt_of(params.get("prompt")))

    async def _set_mode(self, params: Params) -> Any:
        conversation, mode = self._open(params), _string(params, "modeId")
        if mode not in {one.id for one in self._modes}:
            known = ", ".join(one.id for one in self._modes)
            raise RpcError(INVALID_PARAMS, f"there is no mode {mode[:100]!r} (known: {known})")
        conversation.mode = mode
        return {}

    async def _set_option(self, params: Params) -> Any:
        conversation, value = self._open(params), _string(params, "value")
        if params.get("configId") != "model":
            raise RpcError(INVALID_PARAMS, "the only option is `model`")
        before, conversation.model = conversation.model, value
        try:
            conversation.plan()
        except A3SError as error:
            conversation.model = before
            raise RpcError(INVALID_PARAMS, str(error), failure(error).data) from None
        return self._options(conversation)

    # -- parts -------------------------------------------------------------------------

    def _other_end(self) -> Editor:
        if self._editor is None:
            raise refused(-32600, "uninitialized", "send `initialize` first")
        return self._editor

    def _store(self) -> Any:
        from ..sessions.store import Store

        try:
            return Store.find(os.environ)
        except A3SError as error:
            raise failure(error) from None

    def _made(self, id: str, params: Params) -> Conversation:
        """Make a session that works in the directory which the editor names."""
        editor, cwd = self._other_end(), _string(params, "cwd")
        if params.get("additionalDirectories"):
            raise RpcError(INVALID_PARAMS, "`additionalDirectories` are not supported")
        if not Path(cwd).is_absolute() or not Path(cwd).is_dir():
            raise RpcError(
                INVALID_PARAMS, f"`cwd` must be the absolute path of a directory, not {cwd[:200]}"
            )
        request = replace(
            self._template,
            workspace=Path(cwd).resolve(),
            mcp_servers=servers(params.get("mcpServers")),
            mcp_origin="the editor",
        )
        conversation = Conversation(id, request, editor)
        try:
            conversation.plan()
        except A3SError as error:
            raise failure(error) from None
        previous = self._conversations.get(id)
        if previous is not None and previous.busy:
            raise refused(-32600, "busy", "a prompt of this session is still being answered")
        self._conversations[id] = conversation
        return conversation

    def _known(self, params: Params) -> Conversation:
        id = _string(params, "sessionId")
        try:
            self._store().known(id)
        except A3SError as error:
            raise failure(error) from None
        return self._made(id, params)

    def _open(self, params: Params) -> Conversation:
        id = _string(params, "sessionId")
        if id not in self._conversations:
            raise RpcError(
                INVALID_PARAMS, f"there is no open session {id[:100]!r}",
                {"code": "unknown_session", "hint": "session/load or session/new opens one"},
            )  # fmt: skip
        return self._conversations[id]

    def _state(self, conversation: Conversation) -> dict[str, Any]:
        return {"modes": state(self._modes, conversation.mode), **self._options(conversation)}

    def _options(self, conversation: Conversation) -> dict[str, Any]:
        from ..run.models import models

        _, plan = conversation.plan()
        request = self._template
        rows = models(os.environ, request.config_file, request.settings)
        ready = [row["model"] for row in rows if row["ready"]]
        names = [name for name in ready if not name.endswith("/MODEL")]
        offered = dict.fromkeys([plan.model, *names])
        return {
            "configOptions": [
                {
                    "type": "select",
                    "id": "model",
                    "name": "Model",
                    "category": "model",
                    "currentValue": plan.model,
                    "options": [{"value": name, "name": name} for name in offered],
                }
            ]
        }


def _events(id: str, event_of: Callable[[Any], Any]) -> Any:
    """Yield the events of a kept session; what is none, or cannot be read, is passed by."""
    import json

    from ..sessions.lines import regular
    from ..sessions.store import Store

    with open(Store.find(os.environ).path(id), "rb", opener=regular) as lines:
        for line in lines:
            try:
                event = event_of(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
            if event is not None:
                yield event


def _info(row: Any) -> dict[str, Any]:
    when = datetime.fromtimestamp(row.used / 1000, UTC).isoformat()
    title = " ".join(row.name.split())[:200]
    told = {"sessionId": row.id, "cwd": row.workspace, "updatedAt": when}
    return {**told, "title": title} if title else told


def _keys() -> dict[str, Any]:
    from ..config.vendors import VENDORS

    names = dict.fromkeys(key for vendor in VENDORS.values() for key in vendor.keys[:1])
    return {
        "type": "env_var",
        "id": KEYS,
        "name": "A provider's key",
        "vars": [{"name": name, "optional": True} for name in names],
    }


def _string(params: Params, name: str) -> str:
    found = params.get(name)
    if not isinstance(found, str):
        raise RpcError(INVALID_PARAMS, f"`{name}` must be a string")
    return found


_METHODS: dict[str, Callable[[Agent, Params], Awaitable[Any]]] = {
    "initialize": Agent._initialize,
    "authenticate": Agent._authenticate,
    "session/new": Agent._new,
    "session/load": Agent._load,
    "session/resume": Agent._resume,
    "session/fork": Agent._fork,
    "session/list": Agent._list,
    "session/close": Agent._close,
    "session/prompt": Agent._prompt,
    "session/set_mode": Agent._set_mode,
    "session/set_config_option": Agent._set_option,
}
