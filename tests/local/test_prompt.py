"""A request as the embedded model gets it."""

from __future__ import annotations

from a3s_cli.local import prompt
from a3s_cli.messages import Message, Text, ToolCall, ToolResult, ToolSpec
from a3s_cli.model import Request
from a3s_cli.registry import TOOLS, load

SPECS = tuple(load(target)().spec() for target in TOOLS.values())
GENERAL = "You are a large model."


def adapted(
    *messages: Message, system: str = GENERAL, tools: tuple[ToolSpec, ...] = SPECS
) -> Request:
    return prompt.adapt(Request("m", system, messages, tools), GENERAL)


def spoken(request: Request) -> list[tuple[str, str]]:
    """The turns behind the examples."""
    beginning = prompt.beginning(tuple(map(prompt.shortened, SPECS)))[1]
    return [(message.role, message.text) for message in request.messages[len(beginning) :]]


def user(text: str) -> Message:
    return Message("user", (Text(text),))


def test_the_beginning_never_changes() -> None:
    one = adapted(user("a"), system=f"{GENERAL}\n\nBe brief.")
    other = adapted(user("b"), system="You are a pirate.")
    assert one.system == other.system
    assert list(one.messages)[:-1] == list(other.messages)[:-1]
    assert one.tools == ()


def test_what_the_user_wants_comes_before_the_question() -> None:
    assert spoken(adapted(user("hi"), system=f"{GENERAL}\n\nBe brief.")) == [
        ("user", "Be brief.\n\nhi")
    ]
    assert spoken(adapted(user("hi"))) == [("user", "hi")]


def test_calls_become_turns_one_at_a_time() -> None:
    calls = (
        Text("Let me look. "),
        ToolCall("1", "ls", "{}"),
        ToolCall("2", "bash", '{"command": "wc -l a\\nb"}'),
    )
    results = (ToolResult("1", "ls", ""), ToolResult("2", "bash", "  3 a\n"))
    conversation = (user("count"), Message("assistant", calls), Message("tool", results))
    assert spoken(adapted(*conversation)) == [
        ("user", "count"),
        ("assistant", "Let me look. <tool=ls></tool>"),
        ("user", "Result:\n[no output]"),
        ("assistant", "<tool=bash>\nwc -l a\nb\n</tool>"),
        ("user", "Result:\n3 a"),
    ]


def test_a_long_result_keeps_head_and_tail() -> None:
    output = "a" * 5000 + "b" * 5000
    call = Message("assistant", (ToolCall("1", "ls", "{}"),))
    result = Message("tool", (ToolResult("1", "ls", output),))
    ((_, text),) = spoken(adapted(user("x"), call, result))[2:]
    assert text.startswith("Result:\naaa")
    assert text.endswith("bbb")
    assert "[… 6000 characters left out …]" in text


def test_examples_need_only_what_is_offered() -> None:
    request = adapted(user("hi"), tools=tuple(spec for spec in SPECS if spec.name == "read"))
    calls = [m.text for m in request.messages if "<tool=" in m.text]
    assert calls
    assert all(text.startswith("<tool=read>") for text in calls)
    assert "bash" not in request.system
    assert "<tool=" not in "".join(m.text for m in adapted(user("hi"), tools=()).messages)


def test_the_examples_are_calls_that_the_tools_accept() -> None:
    schemas = {spec.name: spec.parameters for spec in SPECS}
    for _, steps, _ in prompt.EXAMPLES:
        for step in steps:
            schema = schemas[step.tool]
            assert set(schema.get("required", ())) <= set(step.arguments)
            assert set(step.arguments) <= set(schema["properties"])


def test_an_unknown_tool_keeps_its_first_sentence_and_what_it_requires() -> None:
    schema = {
        "type": "object",
        "properties": {"url": {"type": "string"}, "format": {"type": "string"}},
        "required": ["url"],
    }
    spec = prompt.shortened(ToolSpec("fetch", "Get a page. It follows redirects.", schema))
    assert (spec.description, list(spec.parameters["properties"])) == ("Get a page", ["url"])
