"""What a connection yields of an answer that breaks off while it is not being read."""

from __future__ import annotations

import asyncio

import pytest

from a3s_cli.transport.direct import Connection
from a3s_cli.transport.faults import BrokenResponse
from a3s_cli.transport.patience import Patience
from a3s_cli.transport.trust import Trust
from tests.support.sockets import RawServer, resetting

BODY = b"0123456789" * 20_000


async def _read_late(url: str) -> bytes:
    connection = await Connection.open(url, Trust())
    got = b""
    try:
        await connection.send(url, {}, b"", Patience())
        await asyncio.sleep(0.5)
        with pytest.raises(BrokenResponse, match="reset"):
            while data := await connection.read():
                got += data
    finally:
        connection.close()
    return got


def test_what_came_before_a_reset_is_given() -> None:
    with RawServer(resetting(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)) as server:
        assert asyncio.run(_read_late(server.url)) == BODY
