"""What the certificates of servers are checked with.

Reading a hundred authorities takes as long as all else before a request, so it
is done on a thread, from the moment that a server with TLS is expected.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
from asyncio import shield, wrap_future
from concurrent.futures import Future
from functools import lru_cache

from ..errors import ConfigError

#: Variables that name the authorities, the strongest first: those of OpenSSL, and those that
#: companies set for requests and curl.
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: Where systems keep the bundle of authorities that their administrator trusts.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def trusted() -> ssl.SSLContext:
    """Return the trusted authorities; the environment may name others. Raises ConfigError."""
    for variable in VARIABLES:
        if place := os.environ.get(variable):
            try:
                return _read(place)
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else error
                raise ConfigError(
                    f"{variable}: no certificates could be read from {place}: {reason}"
                ) from None
    return _read(None)


@lru_cache(maxsize=4)
def _read(place: str | None) -> ssl.SSLContext:
    # Most of a megabyte: the runs of one process share them.
    if place:
        directory = os.path.isdir(place)  # noqa: PTH112 - one question needs no pathlib
        return ssl.create_default_context(
            cafile=None if directory else place, capath=place if directory else None
        )
    # The system's, to which a company adds its own; reading it takes as long as reading
    # certifi's, which stands in where a system has none.
    for bundle in BUNDLES:
        with contextlib.suppress(OSError):
            return ssl.create_default_context(cafile=bundle)
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
