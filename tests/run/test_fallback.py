"""`--fallback-model`: who is asked when a model is unavailable, and when nobody else is."""

from __future__ import annotations

from typing import Any

from tests.support.a3s import Bench
from tests.support.replies import Reply, bash, cut, error, text
from tests.support.run import Result

CONFIG = """
providers "one" {{ api = "openai-chat" base_url = "{url}/v1" api_key = "k"
  models "a" {{ cost = {{ input = 500000, output = 0 }} }} }}
providers "two" {{ api = "openai-chat" base_url = "{url}/v1" api_key = "k"
  models "b" {{ cost = {{ input = 1000000, output = 0 }} }}
  models "c" {{ tool_call = false }} }}
providers "keyless" {{ api = "openai-chat" base_url = "https://example.com/v1" }}
"""
#: A server's wish to come again at once keeps the tests short.
BUSY = error(503, headers={"retry-after-ms": "1"})


def run(a3s: Bench, script: list[Reply], *flags: str, retries: str = "1") -> Result:
    server = a3s.serve(script)
    path = a3s.home / ".config/a3s/config.acl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONFIG.format(url=server.url))
    fallbacks = flags or ("--fallback-model", "two/b", "--fallback-model", "two/c")
    options = ["-m", "one/a", "--max-retries", retries, "--allow", "bash", *fallbacks]
    result = a3s("run", "hi", *options)
    result.requests[:] = server.requests
    return result


def models(result: Result) -> list[Any]:
    return [request.body["model"] for request in result.requests]


def retries(result: Result) -> list[tuple[Any, ...]]:
    events = [event for event in result.events if event["type"] == "retry"]
    return [(one["attempt"], one["maxAttempts"], one.get("model"), one["code"]) for one in events]


def test_the_next_model_answers_and_goes_on(a3s: Bench) -> None:
    result = run(a3s, [BUSY, BUSY, bash("true"), text("done")])
    assert models(result) == ["a", "a", "b", "b"]
    assert retries(result) == [(2, 2, None, "overloaded"), (1, 2, "two/b", "overloaded")]
    ends = [event for event in result.events if event["type"] == "turn_end"]
    assert [end.get("model") for end in ends] == ["two/b", "two/b"]
    assert (result.status, result.last["text"]) == (0, "done")
    assert (result.events[0]["model"], result.last["costUsd"]) == ("one/a", 20.0)


def test_the_cost_is_that_of_who_answered(a3s: Bench) -> None:
    result = run(a3s, [bash("true"), BUSY, BUSY, text("done")])
    assert models(result) == ["a", "a", "a", "b"]
    ends = [event for event in result.events if event["type"] == "turn_end"]
    assert [end.get("model") for end in ends] == [None, "two/b"]
    assert result.last["costUsd"] == 15.0


def test_one_after_the_other_and_then_it_fails(a3s: Bench) -> None:
    result = run(a3s, [BUSY] * 3, retries="0")
    assert models(result) == ["a", "b", "c"]
    assert [found[2] for found in retries(result)] == ["two/b", "two/c"]
    assert (result.status, result.last["code"]) == (75, "overloaded")
    assert "tools" in result.requests[1].body and "tools" not in result.requests[2].body


def test_a_cut_response_without_text_is_asked_of_the_next(a3s: Bench) -> None:
    result = run(a3s, [cut(), text("done")], retries="0")
    assert retries(result) == [(1, 1, "two/b", "truncated_stream")]
    assert result.last["text"] == "done"


def test_nobody_else_is_asked_after_text(a3s: Bench) -> None:
    result = run(a3s, [cut("Hel")], retries="0")
    assert (models(result), retries(result)) == (["a"], [])
    assert result.last["code"] == "truncated_stream"


def test_nobody_else_is_asked_for_what_will_not_pass(a3s: Bench) -> None:
    for status, code in ((401, "auth"), (400, "provider_error")):
        result = run(a3s, [error(status)])
        assert (models(result), retries(result)) == (["a"], [])
        assert result.last["code"] == code


def test_a_long_wait_is_not_waited_for(a3s: Bench) -> None:
    result = run(a3s, [error(429, headers={"retry-after": "600"}), text("done")])
    assert retries(result) == [(1, 2, "two/b", "rate_limited")]


def test_objects_come_from_the_next_model_as_well(a3s: Bench) -> None:
    flags = ("--fallback-model", "two/b", "--schema", '{"type":"object"}', "--tools", "none")
    result = run(a3s, [BUSY, text("{}")], *flags, retries="0")
    assert (models(result), result.last["object"]) == (["a", "b"], {})


def test_a_fallback_that_cannot_be_asked_is_known_first(a3s: Bench) -> None:
    for name, code in (("nowhere/x", "config"), ("keyless/x", "auth")):
        result = run(a3s, [], "--fallback-model", name)
        assert (models(result), result.last["code"]) == ([], code)
    result = run(a3s, [], "--fallback-model", "two/c", "--max-cost", "1")
    assert "needs the price of two/c" in result.last["error"]


def test_the_configuration_names_them_too(a3s: Bench) -> None:
    own = a3s.root / "own.acl"
    own.write_text('fallback_model = ["two/c", "two/b"]')
    result = run(a3s, [BUSY, text("done")], "--config", str(own), retries="0")
    assert models(result) == ["a", "c"]
    flags = ("--config", str(own), "--fallback-model", "two/b")
    result = run(a3s, [BUSY, text("done")], *flags, retries="0")
    assert models(result) == ["a", "b"]


def test_it_is_named_as_any_model_is(a3s: Bench) -> None:
    own = a3s.root / "own.acl"
    own.write_text('aliases { spare = "two/b" }')
    flags = ("--config", str(own), "--fallback-model", "spare")
    result = run(a3s, [BUSY, text("done")], *flags, retries="0")
    assert (models(result), result.last["type"]) == (["a", "b"], "end")
    result = a3s("run", "hi", "-m", "one/a", "--fallback-model", "b", laws="none")
    told = result.stderr.decode()
    assert (result.status, told.partition(";")[0]) == (
        78, "a3s: --fallback-model: expected PROVIDER/MODEL, found b",
    )  # fmt: skip


def test_without_one_nothing_is_loaded(a3s: Bench) -> None:
    from tests.test_imports import loaded

    environment = a3s.environment(a3s.serve([text("yo")]))
    names = loaded("run", "hi", "-m", "openai/test", environment=environment)
    unused = {"fallback", "approver_program", "skills", "plugins"}
    assert names & {f"a3s_cli.run.{name}" for name in unused} == set()


def test_a_run_inside_a_run_knows_its_parent(a3s: Bench) -> None:
    script = [bash("a3s run inner -m replay/none.ndjson | head -n 1; env | grep A3S_"), text("yo")]
    outer = a3s("run", "hi", "--allow", "bash", "--sandbox", "off", script=script)
    run_id = outer.events[0]["runId"]
    output = outer.one("tool_end")["toolOutput"]
    assert f'"parentRunId":"{run_id}"' in output
    assert output.endswith(f"A3S_PARENT_RUN_ID={run_id}\n")
    assert "parentRunId" not in outer.events[0]
    for name, told in (("abc123", "abc123"), ("a b", None), ("x" * 65, None), ("", None)):
        result = a3s("run", "hi", script=[text("yo")], env={"A3S_PARENT_RUN_ID": name})
        assert result.events[0].get("parentRunId") == told
