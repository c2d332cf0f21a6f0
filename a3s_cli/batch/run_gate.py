"""The gate of a batch as one run sees it (`model.Gate`)."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import A3SError, MaxCost, RateLimited
from .engine import Port
from .gate import limiting
from .rate_headers import pause


class RunGate:
    """Asks the gate for one run, whose first permit was given with its start."""

    def __init__(self, port: Port, tokens: int) -> None:
        """`tokens` were counted when the first permit was given."""
        self._port = port
        self._credit = 1
        self._epoch = port.epoch
        self._estimate = tokens
        #: The code of the failure by which the gate itself ended the run.
        self.refused_by = ""

    async def permit(self, tokens: int) -> None:
        """Wait for a permit; see `model.Gate.permit`."""
        if self._credit:
            self._credit -= 1
        elif not self._port.free:
            try:
                await self._port.permit(tokens)
            except (RateLimited, MaxCost) as error:
                self.refused_by = error.code
                raise
            self._estimate = tokens
        if not self._port.free:
            self._port.sent()
        self._epoch = self._port.epoch

    def answered(self, headers: Mapping[str, str]) -> None:
        """Learn what a successful answer says of the server's limits."""
        if seconds := pause(headers):
            self._port.close("the server's rate limit is used up", seconds)

    def refused(self, error: A3SError) -> None:
        """Learn that a request has failed."""
        if limiting(error):
            wait = None if error.retry_after_ms is None else error.retry_after_ms / 1000
            self._port.refused(str(error), wait, self._epoch)

    def spent(self, tokens: int, usd: float | None) -> None:
        """Learn what a request has used, which was answered then."""
        self._port.spent(tokens, usd, self._estimate)
        self._estimate = 0
