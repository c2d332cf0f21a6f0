"""How long a server may be silent, and what is said of one that was for longer."""

from __future__ import annotations

from ..errors import ProviderTimeout
from ..values import Value
from .faults import host


class Patience(Value):
    """Seconds that a server may be silent: before its first byte, and between bytes."""

    first_byte: float | None = 300.0
    idle: float | None = 60.0

    def no_answer(self, url: str) -> ProviderTimeout:
        """Return the error for an answer that never began."""
        return ProviderTimeout(f"{host(url)} gave no answer for {self.first_byte:g} s")

    def broken_off(self, url: str) -> ProviderTimeout:
        """Return the error for an answer that stopped midway."""
        return ProviderTimeout(
            f"{host(url)} was silent for {self.idle:g} s in mid-answer",
            hint="--idle-timeout sets how long a3s waits",
        )
