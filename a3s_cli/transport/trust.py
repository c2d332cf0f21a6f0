"""What the certificates of servers are checked with.

Reading a hundred authorities takes as long as all else before a request, so it
is done on a thread, from the moment that a server with TLS is expected.
"""

from __future__ import annotations

import os
import ssl
import threading
from asyncio import shield, wrap_future
from concurrent.futures import Future
from functools import lru_cache

from ..errors import ConfigError


def trusted() -> ssl.SSLContext:
    """Return the trusted authorities; the environment may name others. Raises ConfigError."""
    file, directory = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        return _read(file, directory)
    except OSError as error:
        variable = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        reason = os.strerror(error.errno) if error.errno else error
        raise ConfigError(
            f"{variable}: no certificates could be read from {file or directory}: {reason}"
        ) from None


@lru_cache(maxsize=4)
def _read(file: str | None, directory: str | None) -> ssl.SSLContext:
    # Most of a megabyte: the runs of one process share them.
    if file or directory:
        return ssl.create_default_context(cafile=file or None, capath=directory or None)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


class Trust:
    """The authorities of one run, read once and only if a server with TLS is asked."""

    def __init__(self) -> None:
        self._read: Future[ssl.SSLContext] | None = None

    def begin(self) -> Future[ssl.SSLContext]:
        """Begin to read them."""
        if self._read is None:
            self._read = Future()
            threading.Thread(target=self._work, args=(self._read,), daemon=True).start()
        return self._read

    async def context(self) -> ssl.SSLContext:
        """Return them; raises ConfigError. A waiter that is cancelled does not stop the reading."""
        return await shield(wrap_future(self.begin()))

    def _work(self, read: Future[ssl.SSLContext]) -> None:
        try:
            read.set_result(trusted())
        except Exception as error:  # noqa: BLE001  # raised where it is awaited
            read.set_exception(error)
