"""What a large object costs while it is streamed: a few copies of its text, and no more."""

from __future__ import annotations

import json
import sys

from ..support.a3s import MODELS, Bench
from ..support.replies import text

#: Megabytes that the whole process may have in memory, of which 25 are the program.
MOST = 80
#: Runs a command and says on stderr what it took; small itself, as the kernel counts that, too.
MEASURE = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
print(used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_an_object_of_four_megabytes(a3s: Bench) -> None:
    rows = [{"n": number, "text": "x" * 80} for number in range(39_000)]
    document = json.dumps({"items": rows})
    assert 4_000_000 < len(document) < 4 << 20
    pieces = [document[at : at + 1000] for at in range(0, len(document), 1000)]
    server = a3s.serve([text(*pieces)])
    run = [sys.executable, "-m", "a3s_cli", "run", "go", "-m", MODELS["openai-chat"]]
    run += ["--tools", "none", "--schema", '{"type": "object"}']
    command = [sys.executable, "-I", "-S", "-c", MEASURE, *run]
    result = a3s.start(command, server, "none", quiet=False).finish()
    assert result.status == 0 and result.events[-1]["object"]["items"] == rows
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    used = int(result.stderr) / unit
    assert used < MOST, f"{used:.0f} MB"
