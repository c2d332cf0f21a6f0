"""The native API: a prompt and its stream, what else may be asked of a session, and resuming."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from ..support import laws, processes
from ..support.replies import Reply, bash, call, text
from .serving import Host, lawful

OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def types(events: list[Any]) -> list[str]:
    return [event["type"] for event in events]


def test_a_prompt_is_answered_by_the_stream_of_its_run(host: Host) -> None:
    serving = host.serve([bash("echo one", "c1"), text("Do", "ne.")], "--allow", "bash")
    with serving.chat("go") as stream:
        headers = stream.response.headers
        events = stream.whole()
    assert types(events) == [
        *("start", "turn_start", "turn_end", "tool_start", "tool_output_delta", "tool_end"),
        *("turn_start", "text_delta", "text_delta", "turn_end", "end"),
    ]
    assert events[-1]["text"] == "Done."
    assert events[0]["cwd"] == str(host.bench.work)
    session = events[0]["sessionId"]
    wanted = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "content-location": f"/api/sessions/{session}/events",
    }
    assert {name: headers[name] for name in wanted} == wanted

    # The lines are those that are kept, and those that `a3s` itself prints.
    kept = host.bench("sessions", "export", session, laws="none").stdout
    lines = [line for line in kept.splitlines() if not line.startswith(b'{"type":"session_')]
    with serving.events(session) as again:
        assert [frame.data for frame in again] == lines


def test_a_prompt_that_is_sent_twice_runs_once(host: Host) -> None:
    """As a browser does by itself: while the first goes on, and after its end."""
    go = threading.Event()
    serving = host.serve([text("Do", go, "ne."), text("Another.")])
    serving.client.headers["idempotency-key"] = "one"
    with serving.chat("go", sessionId="mine") as first, serving.chat("go", sessionId="mine") as too:
        go.set()
        events = first.whole()
        assert too.whole() == events
    assert serving.ask("go", sessionId="mine") == events
    serving.client.headers["idempotency-key"] = "two"
    assert serving.ask("go", sessionId="mine")[-1]["text"] == "Another."
    assert len(serving.model.requests) == 2


def test_a_key_is_of_one_prompt(host: Host) -> None:
    """Else the second would never run, and be answered with the other one's reply."""
    serving = host.serve([text("One."), text("Two.")])
    key = {"idempotency-key": "one"}
    bodies = {"message": "go", "sessionId": "a"}, {"message": "go", "sessionId": "b"}
    assert serving.client.post("/api/chat", json=bodies[0], headers=key).status_code == 200
    refused = serving.client.post("/api/chat", json=bodies[1], headers=key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "key")
    assert len(serving.model.requests) == 1
    assert serving.ask("go", sessionId="b")[-1]["text"] == "Two."


def test_a_session_goes_on_here_and_in_the_terminal(host: Host) -> None:
    serving = host.serve([text("one"), text("two"), text("three")])
    first = serving.ask("a", sessionId="mine")
    second = serving.ask("b", sessionId="mine")
    assert [first[0]["sessionId"], second[0]["sessionId"]] == ["mine", "mine"]
    asked = serving.model.requests[1].body["messages"][1:]
    assert [(one["role"], one["content"]) for one in asked] == [
        ("user", "a"), ("assistant", "one"), ("user", "b"),
    ]  # fmt: skip
    env = host.bench.environment(serving.model)
    ran = host.bench("run", "c", "--session", "mine", "-m", "openai/test-model", env=env)
    assert ran.text == "three"
    rows = serving.client.get("/api/sessions").json()
    assert [(row["id"], row["prompt"], row["runs"], row["live"]) for row in rows] == [
        ("mine", "a", 3, False)
    ]
    # Every run of the session, each with its own ids.
    with serving.events("mine") as stream:
        frames = list(stream)
    starts = [n for n, frame in enumerate(frames) if frame.data.startswith(b'{"type":"start"')]
    runs = [frames[a:b] for a, b in zip(starts, [*starts[1:], len(frames)], strict=True)]
    assert [lawful(run)[-1]["text"] for run in runs] == ["one", "two", "three"]


def test_an_object_and_another_model(host: Host) -> None:
    serving = host.serve([text("thinking"), text('{"n": 4', "2}")])
    events = serving.ask("n?", schema=OBJECT, model="openai/other", sessionId="s")
    assert events[-1]["object"] == {"n": 42}
    assert events[0]["model"] == "openai/other"
    assert [seen.body["model"] for seen in serving.model.requests] == ["other", "other"]


def test_a_failed_run_is_a_stream_as_well(host: Host) -> None:
    serving = host.serve([Reply(status=401, body=b"{}")], "--max-retries", "0")
    assert serving.ask("go")[-1]["code"] == "auth"


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "nowhere to keep it"])
def test_a_reader_that_drops_after_any_event_misses_none(host: Host, kept: bool) -> None:
    gate = threading.Event()
    script = [bash("printf 'a\\nb'; echo c", "c1"), text("x", gate, "y", "z")]
    env = {"HOME": None, "XDG_STATE_HOME": None} if not kept else {}
    serving = host.serve(script, "--allow", "bash", env=env)
    seen = []
    with serving.chat("go", sessionId="s") as stream:
        seen += stream.take("text_delta")
    # In mid-run: one event at a time, each on a connection of its own.
    live = len(seen)
    for number in range(live):
        with serving.events("s", f"{number}") as stream:
            if number + 1 < live:
                assert stream.take(live - number - 1) == seen[number + 1 :]
    gate.set()
    while seen[-1].data[:13] not in (b'{"type":"end"', b'{"type":"erro'):
        with serving.events("s", seen[-1].id) as stream:
            seen += stream.take(1)
    assert lawful(seen)[-1]["text"] == "xyz"
    assert len(serving.model.requests) == 2, "nothing has run twice"
    # After the end: from any place, by either kind of id, and then there is nothing more.
    for number, frame in enumerate(seen[:-1]):
        for last in (frame.id, str(number)):
            with serving.events("s", last) as stream:
                assert list(stream) == seen[number + 1 :]
    for last in (seen[-1].id, str(len(seen) - 1)):
        with serving.events("s", last) as stream:
            assert (stream.status, stream.response.read()) == (204, b"")


def test_many_readers_of_one_run(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("a", gate, *"bcdefgh")])
    found: list[Any] = []

    def follow() -> None:
        with serving.events("s") as stream:
            found.append(stream.whole())

    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("text_delta")
        readers = [threading.Thread(target=follow) for _ in range(5)]
        for reader in readers:
            reader.start()
        gate.set()
        frames += list(stream)
    for reader in readers:
        reader.join(30)
    assert found == [lawful(frames)] * 5


def test_a_run_that_is_cancelled_and_one_that_is_only_left(host: Host) -> None:
    mark = host.bench.mark
    serving = host.serve([bash("echo up; sleep 600", "c1"), text("after")], "--allow", "bash")
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("tool_output_delta")
    # No client listens, and it continues.
    assert serving.post("/api/chat", {"message": "more", "sessionId": "s"}).status_code == 409
    assert serving.client.get("/api/sessions").json()[0]["live"] is True
    assert serving.post("/api/sessions/s/cancel").json() == {"cancelled": True}
    with serving.events("s", frames[-1].id) as stream:
        events = lawful(frames + list(stream))
    last = events[-1]
    assert (last["code"], last["exitCode"], "signal" in last) == ("cancelled", 130, False)
    assert [one["reason"] for one in events if one["type"] == "tool_end"] == ["cancelled"]
    assert not [one for one in processes.survivors(mark) if "sleep" in str(one)]
    # Now there is nothing to cancel, and the session is free.
    assert serving.post("/api/sessions/s/cancel").json() == {"cancelled": False}
    assert serving.ask("more", sessionId="s")[-1]["text"] == "after"


@pytest.mark.parametrize("answer", ["once", "always", "no"])
def test_a_question_is_answered_over_http(host: Host, answer: str) -> None:
    touch = [call("bash", {"command": "touch made"}, f"c{number}") for number in (1, 2)]
    serving = host.serve([*touch, text("ok")])
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("permission_request")
        path = "/api/sessions/s/permissions/"
        assert serving.post(f"{path}other", {"answer": answer}).status_code == 404
        assert serving.post(f"{path}c1", {"answer": "yes"}).status_code == 400
        assert not (host.bench.work / "made").exists()
        told = serving.post(f"{path}c1", {"answer": answer})
        assert (told.status_code, told.json()) == (200, {"toolId": "c1", "answer": answer})
        if answer != "always":
            frames += stream.take("permission_request")
            assert serving.post(f"{path}c2", {"answer": "no"}).status_code == 200
        frames += list(stream)
        assert serving.post(f"{path}c1", {"answer": answer}).status_code == 404
    events = lawful(frames)
    answers = [(one["answer"], one["by"]) for one in events if one["type"] == "permission_answer"]
    assert answers == [(answer, "user")] + [("no", "user")] * (answer != "always")
    ran = [one["toolId"] for one in events if one["type"] == "tool_start"]
    assert ran == {"once": ["c1"], "always": ["c1", "c2"], "no": []}[answer]
    assert (host.bench.work / "made").exists() == (answer != "no")


def test_a_run_is_cancelled_while_it_asks(host: Host) -> None:
    serving = host.serve([bash("touch made", "c1")])
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("permission_request")
        assert serving.post("/api/sessions/s/cancel").json() == {"cancelled": True}
        frames += list(stream)
        late = serving.post("/api/sessions/s/permissions/c1", {"answer": "once"})
    events = lawful(frames)
    assert (types(events)[-2:], events[-1]["code"]) == (["permission_denied", "error"], "cancelled")
    assert (late.status_code, (host.bench.work / "made").exists()) == (404, False)


def test_nobody_is_asked_where_that_was_said(host: Host) -> None:
    serving = host.serve([bash("touch made", "c1"), text("ok")], "--on-ask", "deny")
    assert "permission_denied" in types(serving.ask("go"))
    assert not (host.bench.work / "made").exists()


def test_the_policy_is_that_of_a_run(host: Host) -> None:
    (host.bench.work / "AGENTS.md").write_text("Say moo.")
    rules = ("--allow", "bash(echo *)", "--deny", "bash(echo no)", "--sandbox", "off")
    options = (*rules, "--tools", "bash,read", "--append-system", "Be kind.")
    serving = host.serve([bash("echo no", "c1"), text("ok"), text("ok")], *options)
    served = serving.ask("go")
    env = host.bench.environment(serving.model)
    ran = host.bench("run", "go", "-m", "openai/test-model", *options, env=env)
    same = ("policySha256", "tools", "sandbox", "model", "cwd")
    assert {name: served[0][name] for name in same} == {name: ran.events[0][name] for name in same}
    first, last = (serving.model.requests[place].body for place in (0, -1))
    assert (first["messages"][0], first["tools"]) == (last["messages"][0], last["tools"])
    assert [one["rule"] for one in served if one["type"] == "permission_denied"] == [
        "bash(echo no)"
    ]


def test_a_session_is_busy_across_processes(host: Host) -> None:
    serving = host.serve([bash("sleep 600", "c1")], "--allow", "bash")
    server = host.bench.serve([bash("sleep 600", "c1"), text("ok")])
    env = host.bench.environment(server)
    command = ("run", "-m", "openai/test-model", "--allow", "bash", "go")
    run = host.bench.spawn(*command, env=env, laws="prefix")
    session = run.wait_for("tool_start") and run.events[0]["sessionId"]
    busy = serving.post("/api/chat", {"message": "go", "sessionId": session})
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "busy")
    assert str(run.pid) in busy.json()["error"]["message"]
    run.signal(15)
    run.finish()
    assert len(serving.model.requests) == 0


def test_other_workspaces_sessions_are_not_shown(host: Host) -> None:
    elsewhere = host.bench.root / "elsewhere"
    elsewhere.mkdir()
    serving = host.serve([text("here"), text("there")])
    env = host.bench.environment(serving.model)
    host.bench("run", "-m", "openai/test-model", "secret", env=env, cwd=elsewhere)
    (row,) = json.loads(host.bench("sessions", "list", "--all", "--json", laws="none").stdout)
    assert serving.client.get("/api/sessions").json() == []
    for response in (
        serving.client.get(f"/api/sessions/{row['id']}/events"),
        serving.post("/api/chat", {"message": "go on", "sessionId": row["id"]}),
        serving.post(f"/api/sessions/{row['id']}/cancel"),
    ):
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_what_there_is_to_choose_from(host: Host) -> None:
    serving = host.serve([])
    get = serving.client.get
    env = host.bench.environment(serving.model) | {"A3S_MODEL": "openai/test-model"}
    models = host.bench("models", "--json", env=env, laws="none").stdout
    assert get("/api/models").json() == json.loads(models)
    assert get("/api/schema").json() == json.loads(host.bench("schema", laws="none").stdout)


def test_a_slow_reader_of_a_flood_gets_it_from_the_disk(host: Host) -> None:
    """More is said than stays in memory, and a late reader gets all of it."""
    serving = host.serve([bash("seq 700000", "c1"), text("ok")], "--allow", "bash")
    with serving.chat("go", sessionId="s") as slow:
        frames = slow.take(1)
        with serving.events("s") as quick:
            whole = list(quick)
        frames += list(slow)
    assert frames == whole
    events = laws.parse(b"".join(frame.data + b"\n" for frame in frames))
    laws.check_stream(events, None)
    shown = "".join(one["text"] for one in events if one["type"] == "tool_output_delta")
    assert shown == "".join(f"{number}\n" for number in range(1, 700001))
