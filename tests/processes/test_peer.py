"""A process of ours that starts: what others can read of it meanwhile."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
import time
import uuid
from pathlib import Path

import pytest

from a3s_cli.processes import peer

from ..support.run import HANG


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows environments")
def test_no_key_is_ever_in_the_environment_that_others_see() -> None:
    key = uuid.uuid4().hex
    program = "a3s_cli.batch.worker"
    started = peer.start(program, environment={**os.environ, "OPENAI_API_KEY": key})
    shown = set()
    until = time.monotonic() + 1.0
    while time.monotonic() < until and started.ended() is None:
        with contextlib.suppress(OSError):
            shown.add(Path(f"/proc/{started.pid}/environ").read_bytes())
    started.connection.close()
    assert started.wait(HANG)
    assert any(b"PATH=" in one for one in shown)
    assert not any(key.encode() in one for one in shown)


TELLS = """
import os, sys
from a3s_cli.processes import peer
connection = peer.joined(int(sys.argv[1]))
connection.sendall(ascii(dict(os.environ)).encode())
"""


def test_an_environment_arrives_whole(tmp_path: Path) -> None:
    """Whatever its bytes are, and however long it is."""
    (tmp_path / "tells.py").write_text(TELLS)
    given = {"PYTHONPATH": str(tmp_path), "A": "x=y\n\udcff", "B": "", "C": "long" * 100_000}
    started = peer.start("tells", environment=given)
    told = bytearray()
    while piece := started.connection.recv(1 << 16):
        told += piece
    assert started.wait(HANG)
    assert ast.literal_eval(told.decode()) == given
