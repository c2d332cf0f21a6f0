"""What a batch prints, and how it ends."""

from __future__ import annotations

import json
import signal
import sys
import uuid
from pathlib import Path

from a3s_cli.validation import Validator

from ..support.terminal import Terminal
from .bench import BatchBench, set_traps
from .laws import check_batch
from .model import Model


def test_every_item_has_one_result(batch: BatchBench) -> None:
    batch.say(12)
    result = batch("items.ndjson", "--jobs", "4")
    assert (result.status, result.stderr) == (0, b"")
    ends = {one["item"]: one for one in result.of("item_end")}
    assert {name: one["text"] for name, one in ends.items()} == {f"i{n}": str(n) for n in range(12)}
    assert result.events[0]["items"] == 12
    assert result.last["succeeded"] == 12
    assert result.last["totalTokens"] == 12 * 6
    assert batch.texts("items.ndjson.batch") == {f"i{n}": str(n) for n in range(12)}


def test_nothing_is_imported_from_the_workspace(batch: BatchBench) -> None:
    trapped = set_traps(batch.work)
    batch.say(2)
    # The installed command, because `python -m` has the working directory first on its path.
    command = [str(Path(sys.executable).with_name("a3s")), "batch", "items.ndjson"]
    command += ["-m", "openai/m"]
    run = batch.bench.start(command, None, "none", False, env=batch.model.environment())
    result = run.finish()
    assert (result.status, result.stderr) == (0, b"")
    assert check_batch(result.stdout, 0)[-1]["succeeded"] == 2
    assert not trapped.exists()


def test_the_same_command_again_prints_only_what_is_new(batch: BatchBench) -> None:
    batch.say(3)
    assert batch("items.ndjson").status == 0
    again = batch("items.ndjson")
    assert [one["type"] for one in again.events] == ["batch_start", "batch_end"]
    assert again.events[0]["done"] == 3
    batch.say(5)
    more = batch("items.ndjson")
    assert sorted(one["item"] for one in more.of("item_end")) == ["i3", "i4"]
    assert batch.model.prompts.total() == 5


def test_terminal_events_alone(batch: BatchBench) -> None:
    batch.say(4)
    result = batch("items.ndjson", "--events", "terminal")
    kinds = [one["type"] for one in result.events]
    assert kinds == ["batch_start", *["item_end"] * 4, "batch_end"]


def test_results_in_the_order_of_the_items(batch: BatchBench, model: Model) -> None:
    items = [{"id": "slow", "prompt": "wait for it"}]
    items += [{"id": f"i{n}", "prompt": f"say {n}"} for n in range(4)]
    batch.items(items)
    run = batch.spawn("items.ndjson", "--order", "input", "--jobs", "2")
    model.wait_for_waiting(1)
    model.open()
    result = run.finish()
    names = ["slow", "i0", "i1", "i2", "i3"]
    assert [one["item"] for one in result.of("item_end")] == names
    assert [one["item"] for one in batch.results("items.ndjson.batch", order="input")] == names


def test_a_run_that_fails_for_good_is_a_result(batch: BatchBench, model: Model) -> None:
    batch.items([{"id": "bad", "prompt": "fail 400"}, {"id": "good", "prompt": "say yes"}])
    result = batch("items.ndjson")
    assert (result.status, result.last["codes"]) == (1, {"provider_error": 1})
    (bad,) = [one for one in result.of("item_end") if one["item"] == "bad"]
    assert (bad["exitCode"], bad["code"], bad["attempts"]) == (1, "provider_error", 1)
    assert bad["error"]
    again = batch("items.ndjson")
    assert (again.status, again.of("item_end")) == (1, [])
    retried = batch("items.ndjson", "--retry-failed")
    assert [one["item"] for one in retried.of("item_end")] == ["bad"]
    assert model.prompts == {"fail 400": 2, "say yes": 1}


def test_a_temporary_failure_leaves_an_item_pending(batch: BatchBench, model: Model) -> None:
    batch.items([{"id": "a", "prompt": "fail 503"}, {"id": "b", "prompt": "say b"}])
    result = batch("items.ndjson", "--max-retries", "0", "--attempts", "2")
    assert (result.status, result.last["codes"]) == (75, {"overloaded": 1})
    assert [one["item"] for one in result.of("item_end")] == ["b"]
    (retry,) = result.of("item_retry")
    assert (retry["item"], retry["attempt"], retry["code"]) == ("a", 2, "overloaded")
    assert model.prompts["fail 503"] == 2
    assert batch("items.ndjson", "--max-retries", "0", "--attempts", "1").status == 75
    assert model.prompts["fail 503"] == 3


def test_too_many_failures_stop_the_batch(batch: BatchBench, model: Model) -> None:
    items = [{"prompt": "fail 400", "id": f"i{n}"} for n in range(40)]
    batch.items(items)
    result = batch("items.ndjson", "--jobs", "1", "--max-failures", "5%")
    assert (result.status, result.last["failed"]) == (3, 3)
    assert result.last["codes"] == {"provider_error": 3, "max_failures": 37}
    assert model.prompts.total() == 3


def test_a_budget_stops_the_batch(batch: BatchBench, model: Model) -> None:
    price = "cost = { input = 1000, output = 1000 }"
    (batch.work / "p.acl").write_text(f'providers "openai" {{ models "m" {{ {price} }} }}\n')
    batch.say(20)
    result = batch("items.ndjson", "--config", "p.acl", "--jobs", "1", "--max-cost", "0.02")
    assert result.status == 3, result.stderr
    # Each request costs 0.006: the fourth passes the limit.
    assert (result.last["succeeded"], result.last["costUsd"]) == (4, 0.024)
    assert result.last["codes"] == {"max_cost": 16}
    assert model.prompts.total() == 4


def test_commands_run_and_their_batch_is_out_of_reach(batch: BatchBench) -> None:
    batch.items([{"id": "a", "prompt": "run cat items.ndjson.batch/journal.ndjson; echo seen $?"}])
    result = batch("items.ndjson", "--allow", "bash", "--sandbox", "require")
    (end,) = result.of("tool_end")
    assert (result.status, end["toolOutput"].splitlines()[-1]) == (0, "seen 1")


def test_a_long_answer_is_whole_in_the_results(batch: BatchBench) -> None:
    word = "x" * 200_000
    batch.items([{"id": "long", "prompt": f"say {word}"}])
    result = batch("items.ndjson")
    (end,) = result.of("item_end")
    assert (end["truncated"], end["textBytes"]) == (True, len(word))
    assert batch.texts("items.ndjson.batch") == {"long": word}


def test_sessions_lie_in_the_directory_and_nowhere_else(batch: BatchBench) -> None:
    batch.say(2)
    assert batch("items.ndjson").status == 0
    assert batch.bench("sessions", "list", "--json", "--all").stdout == b"[]\n"
    kept = (batch.work / "items.ndjson.batch/sessions").glob("*.ndjson")
    assert sorted(one.name for one in kept) == ["i0.1.ndjson", "i1.1.ndjson"]


def test_status_says_how_far_it_is(batch: BatchBench) -> None:
    batch.items([{"id": "bad", "prompt": "fail 400"}, {"id": "good", "prompt": "say yes"}])
    batch("items.ndjson")
    told = batch.bench("batch", "status", "items.ndjson.batch", "--json")
    assert json.loads(told.stdout) == {
        "items": 2, "succeeded": 1, "failed": 1, "pending": 0, "codes": {"provider_error": 1},
        "running": False,
    }  # fmt: skip


def test_no_command_finds_a_key_in_any_process_of_the_batch(batch: BatchBench) -> None:
    key = "sk-bench-" + uuid.uuid4().hex
    look = f"cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c {key[9:30]}"
    batch.items([{"id": f"i{n}", "prompt": f"run {look}"} for n in range(4)])
    result = batch(
        "items.ndjson", "--allow-all", "--sandbox", "off", "--jobs", "2",
        env={"OPENAI_API_KEY": key},
    )  # fmt: skip
    assert result.status == 0
    assert [one["toolOutput"].strip() for one in result.of("tool_end")] == ["0"] * 4


def test_a_program_answers_for_calls(batch: BatchBench) -> None:
    approver = batch.bench.bin / "approve"
    approver.write_text('#!/bin/sh\ncat > /dev/null\necho \'{"answer": "once"}\'\n')
    approver.chmod(0o755)
    batch.items([{"id": "a", "prompt": "run touch made"}])
    denied = batch("items.ndjson", "-d", "one")
    assert [one["type"] for one in denied.events].count("permission_denied") == 1
    allowed = batch("items.ndjson", "-d", "two", "--on-ask", f"exec:{approver}")
    assert allowed.one("permission_answer")["by"] == "program"
    assert (batch.work / "made").exists()
    assert batch("items.ndjson", "-d", "three", "--on-ask", "fail").status == 1
    assert batch("items.ndjson", "--on-ask", "prompt").status == 2


def test_progress_is_one_line_on_a_terminal(batch: BatchBench, model: Model) -> None:
    terminal = Terminal(columns=70)
    batch.items([{"id": "w", "prompt": "wait 1"}, {"id": "bad", "prompt": "fail 400"}])
    run = batch.spawn("items.ndjson", stderr=terminal.side)
    terminal.wait_for("1/2, 1 failed, 1 running")
    model.open()
    assert run.finish().status == 1
    assert "2/2, 1 failed, 0 running" in terminal.rest()
    terminal.close()


def test_every_line_satisfies_the_schema_that_is_printed(batch: BatchBench) -> None:
    document = json.loads(batch.bench("schema").stdout)
    batch.items([{"id": "a", "prompt": "fail 503"}, {"id": "b", "prompt": "run echo hi"}])
    ended = batch("items.ndjson", "--max-retries", "0", "--attempts", "2", "--allow", "bash")
    run = batch.spawn("items.ndjson", "--max-retries", "0", "--attempts", "9")
    run.wait_for_output(b'"item_retry"')
    run.signal(signal.SIGTERM)
    lines = [*ended.events, *run.finish().events]
    validator = Validator(document)
    assert {one["type"] for one in lines} >= {"batch_start", "item_retry", "item_end", "batch_end"}
    assert [one for one in lines if not validator.is_valid(one)] == []
    assert "seq" not in lines[-1] and lines[-1]["type"] == "error"


def test_retried_items_are_shown_in_order_too(batch: BatchBench) -> None:
    batch.items([{"id": f"i{n}", "prompt": "fail 400"} for n in range(3)])
    assert batch("items.ndjson", "--order", "input").status == 1
    again = batch("items.ndjson", "--order", "input", "--retry-failed")
    assert [one["item"] for one in again.of("item_end")] == ["i0", "i1", "i2"]


def test_a_signal_before_the_first_worker_is_ready(batch: BatchBench) -> None:
    batch.say(3)
    run = batch.spawn("items.ndjson")
    run.wait_for_output(b'"batch_start"')
    run.signal(signal.SIGINT)
    result = run.finish()
    assert result.exit_status == -signal.SIGINT
    assert check_batch(result.stdout, None)[-1]["code"] == "cancelled"
