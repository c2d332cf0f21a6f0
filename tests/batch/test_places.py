"""What a batch says of places and tables that it cannot use, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bench import BatchBench


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


@pytest.mark.parametrize("where", ["taken", "taken/deeper"])
def test_a_file_in_the_place_of_the_directory(batch: BatchBench, where: str) -> None:
    batch.items([{"prompt": "x"}])
    (batch.work / "taken").write_text("mine")
    before = files(batch.work)
    result = batch("items.ndjson", "-d", where)
    assert (result.status, result.stdout) == (2, b"")
    assert b"/taken: expected a directory, found a file" in result.stderr
    assert (batch.work / "taken").read_text() == "mine" and files(batch.work) == before


def test_a_column_that_is_there_twice(batch: BatchBench) -> None:
    (batch.work / "items.csv").write_text("prompt,id,prompt\na,1,b\n")
    result = batch("items.csv")
    assert (result.status, result.stdout) == (2, b"")
    said = b"items.csv: line 1: the column 'prompt' appears twice, as number 1 and 3"
    assert said in result.stderr


def test_the_stream_of_a_batch_has_no_trace(batch: BatchBench) -> None:
    batch.say(1)
    stream = batch("items.ndjson")
    (batch.work / "all.ndjson").write_bytes(stream.stdout)
    for name, what in (("all.ndjson", "stream"), ("items.ndjson.batch/journal.ndjson", "journal")):
        result = batch.bench("trace", name, laws="none")
        assert (result.status, result.stdout) == (2, b"")
        assert f"{name} is the {what} of a batch, but a trace shows one run" in (
            result.stderr.decode()
        )
        assert b"DIR/runs/ITEM.ndjson" in result.stderr
    status = batch.bench("batch", "status", "items.ndjson.batch", laws="none")
    assert status.stdout.startswith(b"1 item: 1 succeeded")
