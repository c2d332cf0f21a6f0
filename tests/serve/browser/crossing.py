"""A way to the server that can be cut: a relay of bytes on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

#: Seconds; a relay that is forgotten ends by itself.
_LONGEST = 120.0


class Crossing:
    """Relays every connection to a port of this machine, until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._open = threading.Event()
        self._open.set()
        self._start(self._accept)

    def __enter__(self) -> Crossing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # close() alone does not wake a thread that is blocked in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def hold(self) -> None:
        """Let no answer through until the next cut."""
        self._open.clear()

    def cut(self) -> None:
        """Break every connection; new ones work again."""
        broken, self._sockets = self._sockets, []
        for one in broken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.set()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for one in (near, far):
                one.settimeout(_LONGEST)
                self._sockets.append(one)
            self._start(self._relay, near, far, False)
            self._start(self._relay, far, near, True)

    def _relay(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(1 << 16):
                if answers and not self._open.is_set():
                    self._open.wait(_LONGEST)
                    return
                sink.sendall(data)
