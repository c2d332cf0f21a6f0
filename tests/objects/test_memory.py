"""What a large object costs while it is streamed: a few copies of its text, and no more."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ..support.a3s import MODELS, Bench
from ..support.replies import text

#: Megabytes that the whole process may have in memory, of which 25 are the program.
MOST = 80


def test_an_object_of_four_megabytes(a3s: Bench, tmp_path: Path) -> None:
    rows = [{"n": number, "text": "x" * 80} for number in range(39_000)]
    document = json.dumps({"items": rows})
    assert 4_000_000 < len(document) < 4 << 20
    pieces = [document[at : at + 1000] for at in range(0, len(document), 1000)]
    server = a3s.serve([text(*pieces)])
    output = os.open(tmp_path / "stream", os.O_RDWR | os.O_CREAT, 0o600)
    command = [sys.executable, "-m", "a3s_cli", "run", "go", "-m", MODELS["openai-chat"]]
    command += ["--tools", "none", "--schema", '{"type": "object"}']
    actions = [(os.POSIX_SPAWN_DUP2, output, 1)]
    environment = a3s.environment(server)
    child = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    os.close(output)
    assert os.waitstatus_to_exitcode(status) == 0
    last = json.loads((tmp_path / "stream").read_bytes().splitlines()[-1])
    assert last["object"]["items"] == rows
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    assert used.ru_maxrss / unit < MOST, f"{used.ru_maxrss / unit:.0f} MB"
