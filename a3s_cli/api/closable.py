"""`with` and `async with` for what can be closed: streams and sessions."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """A context manager that closes itself when its block is left."""

    def close(self) -> None:
        """Stop what is running and wait until nothing of it is left."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Like `close`, without blocking the running event loop."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
