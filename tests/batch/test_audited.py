"""`a3s audit DIR`: the journal of a batch vouches for itself and for its recordings."""

from __future__ import annotations

import signal
from pathlib import Path

from ..support import processes
from ..support.run import PROMISE, SLACK
from .bench import BatchBench
from .model import Model

POLICY = """
[[rule]]
id = "no-echo"
severity = "error"
message = "Nothing may be echoed."
must_not = ["bash(echo:*)"]
"""


def recorded(batch: BatchBench) -> Path:
    items = [{"id": "a", "prompt": "run echo hi"}, {"id": "b/ü", "prompt": "say b"}]
    batch.items([*items, {"id": "c", "prompt": "fail 400"}])
    assert batch("items.ndjson", "--record", "--allow", "bash").status == 1
    return batch.work / "items.ndjson.batch"


def test_a_batch_and_its_runs_are_judged(batch: BatchBench) -> None:
    kept = recorded(batch)
    assert len(list((kept / "runs").iterdir())) == 3
    clean = batch.bench("audit", str(kept))
    assert clean.status == 0, clean.stdout
    (batch.work / "p.toml").write_text(POLICY)
    broken = batch.bench("audit", str(kept), "--policy", "p.toml")
    assert broken.status == 5 and b"no-echo" in broken.stdout


def test_every_change_is_found(batch: BatchBench) -> None:
    kept = recorded(batch)
    journal, runs = kept / "journal.ndjson", sorted((kept / "runs").iterdir())
    for path in (journal, *runs):
        data = path.read_bytes()
        lines = data.splitlines(keepends=True)
        for changed in (
            data.replace(b'"ts":1', b'"ts":2', 1),
            b"".join(lines[1:]),
            b"".join([lines[0], *lines[2:]]),
            *([b"".join(lines[:-1])] if path != journal else []),
        ):
            path.write_bytes(changed)
            assert batch.bench("audit", str(kept)).status == 65, path
        path.write_bytes(data)
    runs[0].unlink()
    missing = batch.bench("audit", str(kept))
    assert missing.status == 65 and b"is missing" in missing.stdout


def test_a_run_that_was_killed_is_judged_by_what_it_did(batch: BatchBench, model: Model) -> None:
    sleeper = processes.sleeper()
    batch.items([{"id": "a", "prompt": f"run echo hi; {sleeper}"}])
    run = batch.spawn("items.ndjson", "--record", "--allow", "bash", "--sandbox", "off")
    run.wait_for_output(b'"tool_output_delta"')
    processes.send(run.pid, signal.SIGKILL, batch.bench.mark)
    run.finish()
    assert processes.wait_until_gone(batch.bench.mark, PROMISE + SLACK) == []
    kept = str(batch.work / "items.ndjson.batch")
    assert batch.bench("audit", kept).status == 0
    (batch.work / "p.toml").write_text(POLICY)
    assert batch.bench("audit", kept, "--policy", "p.toml").status == 5
    del model
