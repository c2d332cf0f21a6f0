"""The protocol with one server, over whatever carries its messages.

There are two eras. Up to 2025-11-25 a connection begins with `initialize`; after it, each
request says who asks and in which version, and `server/discover` says what the server
can do. Nearly every server of today knows the first, so it is tried first.

What a server asks of us is answered as far as it is ours to give: a ping, and the
workspace as the only root. Sampling and elicitation are declined: no one sits here whose
model or attention a server could use.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ..jsonrpc import MCP, METHOD_NOT_FOUND, Peer, RpcError
from ..jsontext import clean, dumps
from ..version import __version__
from .failure import ServerFailure, Unreached

log = logging.getLogger(__name__)

#: The versions that begin with `initialize`, the newest first, and the later one.
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
LATER = "2026-07-28"
#: Pages, tools and bytes of one server's list.
MOST_PAGES, MOST_TOOLS, MOST_BYTES = 1000, 5000, 8 * 1024 * 1024
#: Times that a server of the later era may ask back before it answers a call.
MOST_ROUNDS = 8
#: The user's no to a server that asks for the model, as the protocol numbers it.
DECLINED = -1
_META = "io.modelcontextprotocol/"
_CLIENT = {"name": "a3s", "title": "a3s", "version": __version__}
_CAN: dict[str, Any] = {"roots": {}}

Progress = Callable[[Mapping[str, Any]], None]


class Carrier(Protocol):
    """Carries messages to a server and hands what comes back to `peer`."""

    #: The other end; set before anything is sent.
    peer: Peer

    def send(self, line: bytes) -> None:
        """Send one message; a failure becomes the answer to its request."""

    def speaks(self, version: str, *, later: bool) -> None:
        """Take note of the version that both sides have agreed on."""


class Session:
    """One connection's conversation: its beginning, its tools, its calls."""

    def __init__(
        self,
        carrier: Carrier,
        workspace: Path,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._carrier = carrier
        self._workspace = workspace
        self._changed = changed
        self.peer = carrier.peer = Peer(carrier.send, self, MCP)
        self._progress: dict[int, Progress] = {}
        self._tokens = 0
        self._later = False
        #: The version in use; empty before `begin`.
        self.version = ""
        #: What the server says of itself: a name and a version, for a person.
        self.info: Mapping[str, Any] = {}
        self.capabilities: Mapping[str, Any] = {}

    # -- the beginning -----------------------------------------------------------------

    async def begin(self) -> None:
        """Agree on a version. Raises ServerFailure, Disconnected."""
        asked = {"protocolVersion": HANDSHAKE[0], "capabilities": _CAN, "clientInfo": _CLIENT}
        try:
            result = await self.peer.request("initialize", asked)
        except Unreached as failure:
            raise ServerFailure(failure.message, failure.hint) from None
        except RpcError as refused:
            await self._discover(refused)
            return
        if not isinstance(result, dict):
            raise ServerFailure("its answer to `initialize` is not an object")
        version = result.get("protocolVersion")
        if version not in HANDSHAKE:
            shown = f"{version!r}"[:40]
            raise ServerFailure(f"it speaks version {shown} of the protocol, which a3s does not")
        self._agreed(str(version), result)
        self.peer.notify("notifications/initialized", {})

    async def _discover(self, refused: RpcError) -> None:
        self._carrier.speaks(LATER, later=True)
        self._later = True
        try:
            result = await self.peer.request("server/discover", self._with_meta({}))
        except RpcError:
            said = clean(refused.message)[:300]
            raise ServerFailure(f"it refused to begin: {said} ({refused.code})") from None
        versions = result.get("supportedVersions") if isinstance(result, dict) else None
        if not isinstance(versions, list) or LATER not in versions:
            raise ServerFailure("it speaks no version of the protocol that a3s does")
        self._agreed(LATER, result)

    def _agreed(self, version: str, result: Mapping[str, Any]) -> None:
        self.version = version
        self._carrier.speaks(version, later=self._later)
        can, meta = result.get("capabilities"), result.get("_meta")
        self.capabilities = can if isinstance(can, dict) else {}
        info = result.get("serverInfo")
        if self._later and isinstance(meta, dict):
            info = meta.get(f"{_META}serverInfo")
        self.info = info if isinstance(info, dict) else {}

    @property
    def tells_changes(self) -> bool:
        """Whether the server tells when its tools have changed."""
        tools = self.capabilities.get("tools")
        return isinstance(tools, dict) and tools.get("listChanged") is True

    async def listen(self) -> None:
        """Ask a server of the later era to tell of changes, for as long as it does."""
        if self._later and self.tells_changes:
            wanted = {"notifications": {"toolsListChanged": True}}
            await self.peer.request("subscriptions/listen", self._with_meta(wanted))

    # -- tools -------------------------------------------------------------------------

    async def tools(self) -> list[Any]:
        """Return the server's list, whatever is in it. Raises ServerFailure, Disconnected."""
        found: list[Any] = []
        size, cursor, seen = 0, None, set[str]()
        for _ in range(MOST_PAGES):
            page = await self._page(cursor)
            for one in page.get("tools") or ():
                found.append(one)
                size += len(dumps(one))
            if len(found) > MOST_TOOLS or size > MOST_BYTES:
                raise ServerFailure(
                    f"it lists more than {MOST_TOOLS} tools, or {MOST_BYTES >> 20} MiB of them"
                )
            cursor = page.get("nextCursor")
            if not isinstance(cursor, str) or not cursor:
                return found
            if cursor in seen:
                raise ServerFailure("its list of tools leads back to an earlier page")
            seen.add(cursor)
        raise ServerFailure(f"its list of tools has more than {MOST_PAGES} pages")

    async def _page(self, cursor: str | None) -> Mapping[str, Any]:
        params = {} if cursor is None else {"cursor": cursor}
        try:
            page = await self.peer.request("tools/list", self._with_meta(params))
        except Unreached as failure:
            raise ServerFailure(failure.message, failure.hint) from None
        except RpcError as error:
            if error.code == METHOD_NOT_FOUND and "tools" not in self.capabilities:
                return {}
            said = clean(error.message)[:300]
            raise ServerFailure(f"it did not list its tools: {said} ({error.code})") from None
        if not isinstance(page, dict) or not isinstance(page.get("tools"), list):
            raise ServerFailure("its answer to `tools/list` has no list of tools")
        return page

    async def call(
        self, name: str, arguments: Mapping[str, Any], progress: Progress
    ) -> Mapping[str, Any]:
        """Call a tool and return the result; cancelling tells the server so.

        Raises RpcError for an error of the server, Disconnected if it has gone.
        """
        self._tokens += 1
        token = self._tokens
        self._progress[token] = progress
        params: dict[str, Any] = {"name": name, "arguments": arguments}
        try:
            for _ in range(MOST_ROUNDS):
                told = self._with_meta(params, {"progressToken": token})
                result = await self.peer.request("tools/call", told)
                if not isinstance(result, dict):
                    raise RpcError(0, "its result is not an object")
                if not (self._later and result.get("resultType") == "input_required"):
                    return result
                params = await self._with_input(params, result)
        finally:
            del self._progress[token]
        raise RpcError(0, f"it asked back more than {MOST_ROUNDS} times")

    async def _with_input(
        self, params: Mapping[str, Any], result: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Answer what a server of the later era asks before it goes on with a call."""
        asked = result.get("inputRequests")
        answers = {}
        for key, one in (asked if isinstance(asked, dict) else {}).items():
            method = one.get("method") if isinstance(one, dict) else None
            answers[key] = await self.request(str(method), {})
        state = result.get("requestState")
        again = {**params, "inputResponses": answers}
        return again if state is None else {**again, "requestState": state}

    def _with_meta(
        self, params: Mapping[str, Any], meta: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        told = dict(meta or {})
        if self._later:
            told[f"{_META}protocolVersion"] = LATER
            told[f"{_META}clientInfo"] = _CLIENT
            told[f"{_META}clientCapabilities"] = _CAN
        return {**params, "_meta": told} if told else dict(params)

    # -- what the server says ----------------------------------------------------------

    def request(self, method: str, params: Mapping[str, Any]) -> Awaitable[Any]:
        """Answer a request of the server."""
        return _answer(method, self._workspace)

    def notification(self, method: str, params: Mapping[str, Any]) -> None:
        """Take note of progress, of changed tools and of log messages."""
        if method == "notifications/progress":
            token = params.get("progressToken")
            progress = self._progress.get(token) if isinstance(token, int) else None
            if progress is not None:
                progress(params)
        elif method == "notifications/tools/list_changed":
            self._changed()
        elif method == "notifications/message" and log.isEnabledFor(logging.DEBUG):
            log.debug("MCP server: %s", clean(f"{params.get('data')}")[:1000])


async def _answer(method: str, workspace: Path) -> Any:
    if method == "ping":
        return {}
    if method == "roots/list":
        return {"roots": [{"uri": workspace.absolute().as_uri(), "name": workspace.name or "/"}]}
    if method == "elicitation/create":
        return {"action": "decline"}
    if method == "sampling/createMessage":
        raise RpcError(DECLINED, "a3s does not lend its model to servers")
    raise RpcError(METHOD_NOT_FOUND, f"a3s has no method {method[:100]!r}")
