"""The certificates of a run, read once for all of its requests."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from pathlib import Path

import certifi
import pytest

from a3s_cli.transport.trust import Trust


def test_a_request_that_gives_up_takes_the_certificates_from_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "ca.pem"
    os.mkfifo(slow)
    monkeypatch.setenv("SSL_CERT_FILE", str(slow))
    text = Path(certifi.where()).read_text()

    async def ask_twice() -> ssl.SSLContext:
        trust = Trust()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(trust.context(), 0.1)
        threading.Thread(target=slow.write_text, args=(text,), daemon=True).start()
        return await asyncio.wait_for(trust.context(), 30)

    assert asyncio.run(ask_twice()).get_ca_certs()
