"""`with` and `async with` for whatever can be closed: a stream, a session."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """Closed when its block is left, however that happens."""

    def close(self) -> None:
        """End what goes on, and wait until nothing of it is left."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """As `close`, without blocking the running loop."""
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
