"""`useChat` of the AI SDK, with no code but the address, against `a3s serve`."""

from __future__ import annotations

from typing import Any

from ...support.replies import Pause, a_call, bash, error, reasoning, text
from ..serving import Host, Serving
from .node import client

WAITING = "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two"
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
    "required": ["name", "size"],
}
#: What a message has that no two runs have in common.
_CHANGING = ("id", "metadata")
_FINISHED = {"isAbort": False, "isDisconnect": False, "isError": False, "finishReason": "stop"}

Json = dict[str, Any]


def _use(serving: Serving, *steps: list[Any], **more: Any) -> Json:
    spec = {"url": serving.url, "token": serving.token, "id": "chat-1", "steps": steps}
    return client("use_chat.mjs", {**spec, **more})


def _messages(told: Json) -> list[tuple[str, list[Json]]]:
    """Role and parts of each message, without what changes from run to run."""
    for message in told["messages"]:
        for part in message["parts"]:
            if isinstance(part.get("output"), dict):
                part["output"].pop("durationMs", None)
    return [(message["role"], message["parts"]) for message in told["messages"]]


def _user(said: str) -> tuple[str, list[Json]]:
    return ("user", [{"type": "text", "text": said}])


def _assistant(*parts: Json) -> tuple[str, list[Json]]:
    return ("assistant", list(parts))


STEP = {"type": "step-start"}


def _text(said: str, state: str = "done") -> Json:
    return {"type": "text", "text": said, "state": state}


def _tool(name: str, tool_id: str, given: Json, **result: Any) -> Json:
    named = {"type": "dynamic-tool", "toolName": name, "toolCallId": tool_id}
    state = "output-error" if "errorText" in result else "output-available"
    return {**named, "state": state, "input": given, "providerExecuted": True, **result}


def test_a_conversation_with_tools(host: Host) -> None:
    """Output while it is printed, a denial, and a second question that knows the first."""
    serving = host.serve(
        [
            reasoning(
                "Hm.",
                "Look:",
                a_call("bash", {"command": WAITING}, "c1"),
                a_call("write", {"file_path": "x", "content": "y"}, "c2"),
            ),
            text("Done", "."),
            text("As I said."),
        ],
        *("--allow", "bash"),
    )
    go = str(host.bench.work / "go")
    told = _use(
        serving, ["begin", "Go."], ["prints", "one\n", go], ["over"], ["send", "And again?"]
    )
    denied = "denied: no rule covers write x\nallow it with: --allow write"
    assert _messages(told) == [
        _user("Go."),
        _assistant(
            STEP,
            {"type": "reasoning", "id": "reasoning-1", "text": "Hm.", "state": "done"},
            _text("Look:"),
            _tool(
                "bash",
                "c1",
                {"command": WAITING},
                output={"toolOutput": "one\ntwo\n", "exitCode": 0, "changed": [go]},
            ),
            _tool("write", "c2", {"file_path": "x", "content": "y"}, errorText=denied),
            STEP,
            _text("Done."),
        ),
        _user("And again?"),
        _assistant(STEP, _text("As I said.")),
    ]
    nothing = {"data": [], "errors": [], "toRun": []}
    assert {name: told[name] for name in nothing} == nothing, "what the client was asked to do"
    assert (told["status"], told["finishes"]) == ("ready", [_FINISHED] * 2)
    first, second = (message["metadata"] for message in told["messages"][1::2])
    assert (first["sessionId"], second["sessionId"]) == ("chat-1", "chat-1")
    assert (first["toolCalls"], first["totalTokens"], second["totalTokens"]) == (1, 30, 15)
    said = [one.get("content") for one in serving.model.requests[2].body["messages"][1:]]
    assert "Go." in said[0] and said[-1] == "And again?", said


def test_an_object_an_error_and_another_try(host: Host) -> None:
    serving = host.serve(
        [text('{"name":"b', Pause(0.6), '","size":3}'), error(401), text("Better.")],
        "--tools",
        "none",
    )
    shape = {"body": {"schema": SCHEMA}}
    told = _use(serving, ["send", "Describe.", shape], ["send", "Fail."], ["regenerate"])
    whole = {"name": "b", "size": 3}
    made = {"object": whole, "round": 0, "final": True}
    assert _messages(told) == [
        _user("Describe."),
        _assistant(
            STEP,
            _tool(
                "generate_object",
                "object",
                {"schema": SCHEMA},
                output={"object": whole, "repairRounds": 0},
            ),
            {"type": "data-object", "id": "object", "data": made},
        ),
        _user("Fail."),
        _assistant(STEP, _text("Better.")),
    ]
    # The prompt after the failed one is told that it failed.
    assert [part["type"] for part in told["data"]].count("data-notice") == 1
    objects = [part for part in told["data"] if part["type"] == "data-object"]
    states = [part["data"]["object"] for part in objects]
    # How many states come between depends on how busy the machine is.
    assert states[-2:] == [whole, whole], "it grows in its place"
    assert states[:-2] in ([{"name": ""}], [{"name": "b"}], [{"name": ""}, {"name": "b"}])
    (sentence,) = told["errors"]
    assert sentence == (
        "openai refused the credentials (401): scripted 401 (check the API key and its permissions)"
    )
    failed = {**_FINISHED, "isError": True, "finishReason": None}
    assert told["finishes"] == [_FINISHED, failed, _FINISHED]


def test_a_page_that_is_loaded_anew_goes_on_with_the_run(host: Host) -> None:
    """The first page leaves in mid-run; the second shows all of it, and nothing runs twice."""
    serving = host.serve([bash(WAITING, "c1"), text("Done.")], "--allow", "bash")
    past = _use(serving, ["begin", "Go."], ["prints", "one\n"], leaves=True)["messages"]
    go = str(host.bench.work / "go")
    told = _use(
        serving,
        ["begin to resume"],
        ["streams"],
        ["prints", "one\n", go],
        ["says", "Done."],
        ["over"],
        ["resume"],  # nothing goes on any more: it stays as it is
        messages=past,
    )
    output = {"toolOutput": "one\ntwo\n", "exitCode": 0, "changed": [go]}
    assert _messages(told) == [
        _user("Go."),
        _assistant(
            STEP,
            _tool("bash", "c1", {"command": WAITING}, output=output),
            STEP,
            _text("Done."),
        ),
    ]
    assert [message["id"] for message in told["messages"]] == [message["id"] for message in past]
    assert (told["status"], told["errors"]) == ("ready", [])
    assert len(serving.model.requests) == 2


def test_a_question_of_the_rules_and_a_cancel(host: Host) -> None:
    """A UI that shows `data-permission` answers by the native API, and cancels by it."""
    serving = host.serve([bash("echo begun; sleep 600", "c1")])
    told = _use(
        serving,
        ["begin", "Go."],
        ["asks", "bash"],
        ["post", "/api/sessions/chat-1/permissions/c1", {"answer": "once"}],
        ["prints", "begun\n"],
        ["post", "/api/sessions/chat-1/cancel", {}],
        ["over"],
        body={"asks": True},
    )
    call = {"command": "echo begun; sleep 600"}
    answer = {"toolName": "bash", "toolInput": call, "rule": "default"}
    _, (role, (step, tool, permission)) = _messages(told)
    assert (role, step) == ("assistant", STEP)
    assert tool == _tool("bash", "c1", call, errorText="the call was cancelled\nbegun\n")
    assert permission["data"].pop("by")
    assert permission["data"] == {**answer, "answer": "once"}
    assert (told["status"], told["errors"]) == ("ready", [])


def test_what_is_refused_is_an_error(host: Host) -> None:
    serving = host.serve([])
    serving.token = "wrong"
    told = _use(serving, ["send", "Go."])
    assert told["status"] == "error"
    assert "the Authorization header does not contain this server's token" in told["errors"][0]
