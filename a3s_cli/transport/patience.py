"""How long a server may be silent, and what is said of one that was for longer."""

from __future__ import annotations

from ..errors import ProviderTimeout
from ..values import Value
from .faults import host


class Patience(Value):
    """Seconds that a server may be silent: before its answer begins, and within it.

    An answer begins with the first byte of the body that is not a comment.
    """

    first_byte: float | None = 300.0
    idle: float | None = 60.0

    def left(self, passed: float, *, waiting: bool) -> float | None:
        """Return the seconds of patience that are left, `passed` seconds after the request."""
        if waiting:
            return None if self.first_byte is None else max(self.first_byte - passed, 0.0)
        return self.idle

    def no_answer(self, url: str) -> ProviderTimeout:
        """Return the error for an answer that never began."""
        return ProviderTimeout(
            f"{host(url)} gave no answer for {self.first_byte:g} s",
            hint="--first-byte-timeout sets how long a3s waits",
        )

    def broken_off(self, url: str) -> ProviderTimeout:
        """Return the error for an answer that stopped midway."""
        return ProviderTimeout(
            f"{host(url)} was silent for {self.idle:g} s in the middle of its answer",
            hint="--idle-timeout sets how long a3s waits",
        )

    def no_content(self, url: str) -> ProviderTimeout:
        """Return the error for an answer that went on without saying anything."""
        return ProviderTimeout(
            f"{host(url)} sent nothing but comments and empty pieces for {self.first_byte:g} s",
            hint="--first-byte-timeout sets how long a3s waits",
        )


class Quiet:
    """The patience with an answer that brings bytes and no content.

    It begins with the first piece; how long that may take is the transport's to judge.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._left = patience.first_byte
        self._last: float | None = None

    def over(self, now: float, *, content: bool) -> bool:
        """Return whether patience has ended; `content` says whether a piece had any."""
        last, self._last = self._last, now
        if content:
            self._left = self._patience.first_byte
        elif self._left is not None and last is not None:
            # A longer silence was not the server's: then this process was stopped, or held up.
            self._left -= min(now - last, self._patience.idle or now - last)
        return self._left is not None and self._left < 0


class Comments:
    """Tells the comments and empty lines at the beginning of an event stream from its events."""

    def __init__(self) -> None:
        self._inside = False

    def only(self, data: bytes) -> bool:
        """Return whether these bytes, too, are nothing else."""
        for line in data.replace(b"\r", b"\n").splitlines(keepends=True):
            if not self._inside and line[:1] not in (b":", b"\n"):
                return False
            self._inside = not line.endswith(b"\n")
        return True
