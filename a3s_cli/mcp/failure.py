"""Why a server cannot be used, in words that complete a sentence about it."""

from __future__ import annotations

from ..errors import Unavailable
from ..jsonrpc import RpcError


class ServerFailure(Exception):
    """A server cannot be used; the message is a clause such as "it ended with status 1"."""

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(why)
        self.hint = hint


def unavailable(server: str, failure: ServerFailure) -> Unavailable:
    """Return the error that ends a run whose server cannot be used."""
    return Unavailable(f"the MCP server {server} cannot be used: {failure}", hint=failure.hint)


class Unreached(RpcError):
    """A request got no answer of the server's own; the message is a clause about it."""

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(0, why)
        self.hint = hint


def no_message(error: RpcError) -> Unreached:
    """Return the failure of a request whose answer could not be read."""
    return Unreached(f"its answer is not a message of the protocol: {error.message}")
