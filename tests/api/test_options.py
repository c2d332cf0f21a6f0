"""Every option has its effect, seen where it takes place."""

from __future__ import annotations

import pydoc
import re
import time
from typing import Any

import pytest

from a3s_cli import (
    A3SError,
    PermissionPolicy,
    Question,
    Result,
    SessionOptions,
    ToolOutcome,
)

from ..support.replies import bash, call, calls, silence, soon, stall, text
from .conftest import Library, lawful


def request_of(library: Library, **options: Any) -> Any:
    """The body of the request of a session with these options."""
    library.session([text("hi")], **options).send("go")
    return library.server.requests[0].body


def system(body: Any) -> str:
    words: str = body["messages"][0]["content"]
    assert body["messages"][0]["role"] == "system"
    return words


def last_of(library: Library, script: list[Any], **options: Any) -> Any:
    return lawful(library.session(script, **options).stream("go"))[-1]


def test_what_goes_to_the_model(library: Library) -> None:
    body = request_of(
        library, model="openai/other", temperature=0.25, max_tokens=77, reasoning="low", tools=[]
    )
    assert (body["model"], body["temperature"], "tools" in body) == ("other", 0.25, False)
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert body["reasoning_effort"] == "low"


def test_the_system_prompt(library: Library) -> None:
    plain = system(request_of(library))
    parts = {
        "role": "A role.",
        "guidelines": "Guide.",
        "response_style": "Brief.",
        "extra": "More.",
    }
    assert system(request_of(library, **parts)).replace(plain, "").strip() == (
        "A role.\n\nGuide.\n\nBrief.\n\nMore."
    )
    whole = system(request_of(library, system="Be a cat.", extra="Purr."))
    assert whole.startswith("Be a cat.") and "Purr." in whole


def test_what_the_project_says(library: Library) -> None:
    (library.work / "AGENTS.md").write_text("Use tabs.")
    assert "Use tabs." in system(request_of(library))
    assert "Use tabs." not in system(request_of(library, project=False))


def test_tools_and_their_rules(library: Library) -> None:
    names = [
        one["function"]["name"] for one in request_of(library, tools=["bash", "read"])["tools"]
    ]
    assert names == ["bash", "read"]
    policy = PermissionPolicy(allow=["bash(echo:*)"])
    script = [calls(*bash("echo a").calls, *bash("touch b").calls), text("done")]
    events = lawful(library.session(script, permission_policy=policy).stream("go"))
    fates = [event.type for event in events if event.type in ("tool_start", "permission_denied")]
    assert sorted(fates) == ["permission_denied", "tool_start"]
    assert [one.rule for one in events[-1].permission_denials] == ["default"]
    with pytest.raises(A3SError, match="default-decision"):
        library.session([], permission_policy=PermissionPolicy(default_decision="alow"))  # type: ignore[arg-type]
    with pytest.raises(A3SError, match="bsh"):
        library.session([], permission_policy=PermissionPolicy(allow=["bsh(ls)"]))


LIMITS: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "turns": ([bash("true")], {"max_turns": 1}, "max_turns"),
    "calls": ([bash("true"), bash("true")], {"max_tool_calls": 1}, "max_tool_calls"),
    "retries": ([soon(503)], {"max_retries": 0}, "overloaded"),
    "timeout": ([silence()], {"timeout": 0.2}, "timeout"),
    "idle": ([stall("half")], {"idle_timeout": 0.2}, "provider_timeout"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(library: Library, name: str) -> None:
    script, options, code = LIMITS[name]
    begun = time.monotonic()
    assert last_of(library, script, **options).code == code
    assert time.monotonic() - begun < 20


def test_the_timeout_of_a_tool(library: Library) -> None:
    session = library.session([bash("sleep 60"), text("done")], tool_timeout=0.3)
    end = next(event for event in lawful(session.stream("go")) if event.type == "tool_end")
    assert (end.exit_code, end.reason) == (124, "timeout")


def test_one_at_a_time(library: Library) -> None:
    script = [calls(*(bash(f"echo {n}").calls[0] for n in range(3))), text("done")]
    events = lawful(library.session(script, max_parallel=1).stream("go"))
    order = [event.type for event in events if event.type in ("tool_start", "tool_end")]
    assert order == ["tool_start", "tool_end"] * 3


def test_what_commands_see(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SETTING", "a setting")
    monkeypatch.setenv("MY_TOKEN", "a-very-secret-token")
    script = [bash("echo ${MY_SETTING-none}; echo a-very-secret-token"), text("done")]
    plain = library.session(script).send("go").events
    assert "none\n" in output(plain) and "a-very-secret" in output(plain)
    told = library.session(script, env=["MY_SETTING"], redact_env=["MY_TOKEN"]).send("go").events
    assert "a setting\n" in output(told) and "a-very-secret" not in output(told)


def output(events: Any) -> str:
    return "".join(event.text for event in events if event.type == "tool_output_delta")


def test_read_only(library: Library) -> None:
    start: Any = library.session([text("hi")], read_only=True).send("go").events[0]
    assert start.sandbox == "none" and not {"write", "edit", "bash"} & set(start.tools)


def test_no_network(library: Library) -> None:
    with pytest.raises(A3SError, match="--network off cannot be combined"):
        library.session([], network="off")
    session = library.session([text("hi")], network="off", sandbox="auto", tools=["web_fetch"])
    start: Any = lawful(session.stream("go"))[0]
    assert not start.tools


def test_the_cost(library: Library) -> None:
    last = last_of(library, [text("hi")], max_cost=1.0, first_byte_timeout=5)
    assert last.code == "config" and "price" in last.error


@pytest.mark.parametrize(
    ("name", "near"),
    [("modle", "model"), ("permision_policy", "permission_policy"), ("max_turn", "max_turns")],
)
def test_a_name_that_is_none(name: str, near: str) -> None:
    for attempt in (
        lambda: SessionOptions(**{name: 1}),
        lambda: setattr(SessionOptions(), name, 1),
    ):
        with pytest.raises(AttributeError, match=f"no option '{name}'; did you mean {near}"):
            attempt()
    assert repr(SessionOptions(model="a/b")) == "SessionOptions(model='a/b')"


def test_a_value_that_is_none(library: Library) -> None:
    for options, said in (
        ({"max_turns": 0}, "max-turns"),
        ({"temperature": 9}, "temperature"),
        ({"reasoning": "lots"}, "reasoning"),
        ({"model": "opnai/x"}, "opnai"),
        ({"session_id": "../up"}, "cannot name a session"),
    ):
        with pytest.raises(A3SError, match=said):
            library.session([], **options)


def test_no_calls_from_a_model_that_is_offered_none(library: Library) -> None:
    events = lawful(library.session([call("bash", {}), text("a")], tools=[]).stream("go"))
    assert [event.type for event in events].count("tool_rejected") == 1


@pytest.mark.parametrize("kind", [SessionOptions, PermissionPolicy, Question, Result, ToolOutcome])
def test_help_says_what_each_field_means(kind: type) -> None:
    shown = pydoc.plain(pydoc.render_doc(kind)).partition("Method resolution order")[0]
    told = set(re.findall(r"^ \|  +(\w+)(?:: |  +)\S", shown, re.MULTILINE))
    assert set(kind.__annotations__) <= told
