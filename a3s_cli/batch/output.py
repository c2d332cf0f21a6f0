"""The stream of a batch: the lines of many runs and the batch's own, numbered as one.

Runs number their events themselves (`seq`); `bseq` numbers everything, so that a reader
finds out about a loss. The lines of runs are stamped as bytes, because decoding them would
cost more than everything else that the driver does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ..events.batch import BatchEvent
from ..events.event import Event
from ..jsontext import LINE_LIMIT, dumps
from ..stream.line import fit


class Output:
    """Numbers lines and writes them."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        pending: Callable[[], int],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        """`pending` returns the bytes that the reader has not taken; `drain` waits for room."""
        self._take = write
        #: Lines of this turn of the loop, which leave in one write.
        self._gathered: list[bytes] = []
        self.pending = pending
        self.drain = drain
        self._bseq = 0
        self._ts = 0

    def runs(self, block: bytes) -> None:
        """Write whole lines of a run."""
        number = self._bseq
        lines = block.split(b"\n")
        lines.pop()
        self._bseq += len(lines)
        self._write(
            b"".join(
                [b'%b,"bseq":%d}\n' % (line[:-1], at) for at, line in enumerate(lines, number)]
            )
        )

    def own(self, event: BatchEvent) -> None:
        """Write an event of the batch."""
        event = self._fitting(event)
        event.place(self._bseq, self._now())
        self._bseq += 1
        self._write(dumps(event.to_dict()) + b"\n")

    def error(self, event: Event) -> None:
        """Write the `error` that ends the batch itself."""
        values = event.to_dict()
        del values["type"], values["seq"], values["ts"]
        head = {"type": "error", "bseq": self._bseq, "ts": self._now()}
        self._bseq += 1
        self._write(dumps({**head, **values}) + b"\n")

    @staticmethod
    def _fitting(event: BatchEvent) -> BatchEvent:
        (fitting,) = fit(event, LINE_LIMIT - 64)
        assert isinstance(fitting, BatchEvent)
        return fitting

    def _write(self, lines: bytes) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.flush)
        self._gathered.append(lines)

    def flush(self) -> None:
        """Hand over what was gathered."""
        if self._gathered:
            data, self._gathered = b"".join(self._gathered), []
            self._take(data)

    def _now(self) -> int:
        # The wall clock may be set back; stamps never go back.
        self._ts = max(self._ts, time.time_ns() // 1_000_000)
        return self._ts
