"""`a3s acp` and the protocol's own client: each method, each update, each way to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from hashlib import sha256
from typing import Any

import pytest
from acp import RequestError

from ..mcp.bench import Scripted
from ..support import processes
from ..support.a3s import Bench
from ..support.files import PDF, PNG, base64_of, data_url
from ..support.replies import Call, a_call, bash, call, calls, error, reasoning, stall, text
from .editor import SOON, Desk, opened, run

HELLO = "def hello():\n    return 1\n"


def command(script: str, id: str) -> Call:
    return a_call("bash", {"command": script}, id)


def test_what_is_advertised(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s) as desk:
            told = desk.initialized.model_dump(by_alias=True, exclude_none=True)
            assert told["protocolVersion"] == 1
            assert told["agentInfo"]["name"] == "a3s"
            can = told["agentCapabilities"]
            assert can["loadSession"] is True
            assert can["promptCapabilities"] == {
                "image": True, "audio": False, "embeddedContext": True,
            }  # fmt: skip
            assert can["mcpCapabilities"]["http"] and not can["mcpCapabilities"]["sse"]
            assert set(can["sessionCapabilities"]) == {"list", "resume", "fork", "close"}
            assert {one["id"] for one in told["authMethods"]} == {"config", "env"}
            for method in ("config", "env"):
                assert await desk.raw("authenticate", methodId=method) == {}
            with pytest.raises(RequestError):
                await desk.raw("authenticate", methodId="magic")

    run(test)


def test_a_prompt_and_its_answer(a3s: Bench) -> None:
    async def test() -> None:
        script = [
            reasoning("Hm.", "Let me ", "look. ", command("echo hi; exit 3", "c1")),
            text("Do", "ne."),
        ]  # fmt: skip
        async with opened(a3s, "--allow", "bash", script=script) as desk:
            session = await desk.session()
            response = await desk.prompt(session, "Go.")
            assert response["stopReason"] == "end_turn"
            assert response["usage"] == {
                "totalTokens": 30, "inputTokens": 20, "outputTokens": 10, "thoughtTokens": 0,
                "cachedReadTokens": 0, "cachedWriteTokens": 0,
            }  # fmt: skip
            editor = desk.editor
            assert editor.text() == "Let me look. Done."
            assert editor.text("agent_thought_chunk") == "Hm."
            assert len({one["messageId"] for one in editor.of("agent_message_chunk")}) == 2
            (begun,) = editor.of("tool_call")
            assert begun == {
                "sessionUpdate": "tool_call",
                "toolCallId": "c1",
                "title": "bash: echo hi; exit 3",
                "kind": "execute",
                "status": "in_progress",
                "rawInput": {"command": "echo hi; exit 3"},
                "content": [],
                "locations": [],
            }
            *_, ended = editor.of("tool_call_update")
            assert ended["status"] == "failed"
            assert ended["rawOutput"] == {"output": "hi\n", "exitCode": 3}
            assert set(editor.sessions) == {session}

    run(test)


def test_the_files_that_a_command_changed(a3s: Bench) -> None:
    async def test() -> None:
        script = [bash("echo x > b; echo x > a"), text("Done.")]
        flags = ("--allow", "bash", "--sandbox", "require")
        async with opened(a3s, *flags, script=script) as desk:
            await desk.prompt(await desk.session(), "Go.")
            *_, ended = desk.editor.of("tool_call_update")
            expected = [{"path": str(a3s.work / name)} for name in ("a", "b")]
            assert ended["locations"] == expected

    run(test)


def test_the_blocks_of_a_prompt(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, script=[text("Ok.")]) as desk:
            session = await desk.session()
            link = {"type": "resource_link", "name": "a b.py", "uri": "file:///w/a%20b.py"}
            resource = {"uri": "file:///w/c.py", "text": "x = 1"}
            embedded = {"type": "resource", "resource": resource}
            await desk.prompt(session, "Look:", link, embedded)
            server = a3s._servers[0]
            assert server.requests[0].body["messages"][-1]["content"] == (
                'Look:\n\n[a b.py](/w/a b.py)\n\n<file path="/w/c.py">\nx = 1\n</file>'
            )
            for wrong in (
                [], [{"type": "text", "text": "  "}], [{"type": "text"}], ["x"],
                [{"type": "image", "data": "", "mimeType": "image/png"}],
                [{"type": "image", "data": "%%", "mimeType": "image/png"}],
                [{"type": "image", "data": "eA=="}], [{"type": "audio", "data": "eA=="}],
                [{"type": "resource", "resource": {"uri": "x", "blob": 7}}],
            ):  # fmt: skip
                with pytest.raises(RequestError) as refused:
                    await desk.raw("session/prompt", sessionId=session, prompt=wrong)
                assert refused.value.code == -32602

    run(test)


async def replayed(a3s: Bench, session: str) -> list[Any]:
    """Load a session in a new agent; return what it shows of the prompts."""
    async with opened(a3s) as desk:
        await desk.connection.load_session(cwd=str(a3s.work), session_id=session, mcp_servers=[])
        await desk.editor.wait_for(lambda one: one["content"].get("text") == "Second.")
        return [one["content"] for one in desk.editor.of("user_message_chunk")]


def test_images_and_binary_resources_of_a_prompt(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, script=[text("First."), text("Second.")]) as desk:
            session = await desk.session()
            image = {"type": "image", "data": base64_of(PNG), "mimeType": "image/png"}
            blob = {"uri": "file:///w/a%20b.pdf", "blob": base64_of(PDF)}
            await desk.prompt(session, "Look:", image, {"type": "resource", "resource": blob})
            await desk.raw("session/prompt", sessionId=session, prompt=[image])
            bodies = [seen.body["messages"] for seen in a3s._servers[0].requests]
            picture = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png")}}
            pages = {"filename": "a b.pdf", "file_data": data_url(PDF, "application/pdf")}
            assert bodies[0][-1]["content"] == [
                picture, {"type": "file", "file": pages}, {"type": "text", "text": "Look:"},
            ]  # fmt: skip
            alone = {"type": "text", "text": "See the attachment."}
            assert bodies[1][-1]["content"] == [picture, alone]
            with pytest.raises(RequestError) as refused:
                noise = {"type": "image", "data": "AAE=", "mimeType": "image/tiff"}
                await desk.raw("session/prompt", sessionId=session, prompt=[noise])
            assert refused.value.data["code"] == "usage"
        said = {"type": "text", "text": "Look:"}
        pages = {"uri": "a%20b.pdf", "blob": base64_of(PDF), "mimeType": "application/pdf"}
        assert await replayed(a3s, session) == [
            image, {"type": "resource", "resource": pages}, said, image, alone,
        ]  # fmt: skip
        (kept,) = a3s.home.rglob(sha256(PDF).hexdigest())
        kept.unlink()
        gone = {"type": "text", "text": "[a b.pdf, application/pdf: no longer kept]"}
        assert await replayed(a3s, session) == [image, gone, said, image, alone]

    run(test)


def test_images_are_not_advertised_for_a_model_that_cannot_see(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, "-m", "openai/gpt-3.5-turbo", script=[]) as desk:
            told = desk.initialized.model_dump(by_alias=True, exclude_none=True)
            assert told["agentCapabilities"]["promptCapabilities"]["image"] is False
            session = await desk.session()
            with pytest.raises(RequestError) as refused:
                image = {"type": "image", "data": base64_of(PNG), "mimeType": "image/png"}
                await desk.raw("session/prompt", sessionId=session, prompt=[image])
            assert "cannot see images" in str(refused.value)

    run(test)


def test_permission_is_asked_with_the_change_before_it_is_made(a3s: Bench) -> None:
    async def test() -> None:
        file = a3s.work / "hello.py"
        file.write_text(HELLO)
        edit = {"file_path": "hello.py", "old_string": "return 1", "new_string": "return 2"}
        new = {"file_path": "new.py", "content": "x\n"}
        script = [
            call("edit", edit, "c1"), call("write", new, "c2"),
            calls(command("touch a", "c3"), command("touch b", "c4")),
            bash("touch c", "c5"), text("Done."),
        ]  # fmt: skip
        async with opened(a3s, script=script) as desk:
            session, editor = await desk.session(), desk.editor
            editor.answers = ["once", "no", "always"]
            response = await desk.prompt(session, "Go.")
            assert response["stopReason"] == "end_turn"
            first, second, third = editor.asked
            changed = HELLO.replace("1", "2")
            diff = {"type": "diff", "path": str(file), "oldText": HELLO, "newText": changed}
            assert first["call"]["content"] == [diff]
            assert first["call"]["locations"] == [{"path": str(file), "line": 2}]
            assert (first["call"]["kind"], first["call"]["status"]) == ("edit", "pending")
            assert second["call"]["content"] == [
                {"type": "diff", "path": str(a3s.work / "new.py"), "newText": "x\n"}
            ]
            assert [(one["optionId"], one["kind"]) for one in third["options"]] == [
                ("once", "allow_once"), ("always", "allow_always"), ("no", "reject_once"),
            ]  # fmt: skip
            assert "bash(touch:*)" in third["options"][1]["name"]
            assert file.read_text() == changed
            assert sorted(one.name for one in a3s.work.iterdir()) == ["a", "b", "c", "hello.py"]
            ends = {
                one["toolCallId"]: one
                for one in editor.of("tool_call_update")
                if one.get("status") in ("completed", "failed")
            }
            assert ends["c1"]["content"] == [diff]
            assert ends["c2"]["status"] == "failed"
            assert {id for id, one in ends.items() if one["status"] == "completed"} == {
                "c1", "c3", "c4", "c5",
            }  # fmt: skip

    run(test)


def test_one_that_is_never_answered_is_cancelled(a3s: Bench) -> None:
    async def test() -> None:
        script = [bash("touch made", "c1"), text("Back.")]
        async with opened(a3s, script=script) as desk:
            session = await desk.session()
            asked = asyncio.ensure_future(desk.prompt(session, "Go."))
            await desk.editor.question.wait()
            with pytest.raises(RequestError) as busy:
                await desk.prompt(session, "Another.")
            assert busy.value.data["code"] == "busy"
            await desk.connection.cancel(session_id=session)
            assert (await asked)["stopReason"] == "cancelled"
            assert not (a3s.work / "made").exists()
            assert (await desk.prompt(session, "Again."))["stopReason"] == "end_turn"

    run(test)


def test_a_cancel_right_behind_its_prompt_is_heard(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, script=[stall("x")], after="repeat") as desk:
            session = await desk.session()
            prompt = {"sessionId": session, "prompt": [{"type": "text", "text": "Go."}]}
            asked = desk.connection._conn.send_request("session/prompt", prompt)
            first = asyncio.ensure_future(asked)
            await asyncio.sleep(0)  # it has been written, and nothing waited for
            await desk.connection.cancel(session_id=session)
            assert (await asyncio.wait_for(first, SOON))["stopReason"] == "cancelled"

    run(test)


def test_a_request_can_be_cancelled_by_its_id(a3s: Bench) -> None:
    sleep = processes.sleeper()

    async def test() -> None:
        async with opened(a3s, "--allow", "bash", script=[bash(f"echo on; {sleep}")]) as desk:
            session = await desk.session()
            asked = asyncio.ensure_future(desk.prompt(session, "Go."))
            await desk.editor.wait_for(lambda one: "on" in str(one.get("content")))
            number = max(desk.connection._conn._next_request_id - 1, 0)
            notify = desk.connection._conn.send_notification
            await notify("$/cancel_request", {"requestId": number})
            assert (await asked)["stopReason"] == "cancelled"
        assert processes.wait_until_gone(sleep.split()[1], 5) == []

    run(test)


ENDS: list[tuple[list[Any], list[str], str]] = [
    ([text("no", finish="refusal")], [], "refusal"),
    ([text("and so", finish="max_tokens")], [], "max_tokens"),
    ([bash("true")], ["--max-turns", "1"], "max_turn_requests"),
]


@pytest.mark.parametrize(("script", "args", "reason"), ENDS, ids=[one[2] for one in ENDS])
def test_how_a_run_ends(a3s: Bench, script: list[Any], args: list[str], reason: str) -> None:
    async def test() -> None:
        async with opened(a3s, "--allow", "bash", *args, script=script) as desk:
            assert (await desk.prompt(await desk.session(), "Go."))["stopReason"] == reason

    run(test)


def test_a_failed_run_is_an_error_with_our_code_and_hint(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, script=[error(401), error(404)]) as desk:
            session = await desk.session()
            for code, name in ((-32000, "auth"), (-32603, "provider_error")):
                with pytest.raises(RequestError) as failed:
                    await desk.prompt(session, "Go.")
                assert (failed.value.code, failed.value.data["code"]) == (code, name)
                assert failed.value.data["retryable"] is False

    run(test)


# -- modes and models ----------------------------------------------------------------------


def test_modes(a3s: Bench) -> None:
    async def test() -> None:
        write = {"file_path": "a", "content": "x"}
        script = [
            call("write", write, "w1"), text("1"),
            call("write", write, "w2"), text("2"),
            call("write", {**write, "file_path": "secret"}, "w3"), text("3"),
        ]  # fmt: skip
        async with opened(a3s, "--deny", "write(secret)", script=script) as desk:
            made = await desk.connection.new_session(cwd=str(a3s.work), mcp_servers=[])
            session, editor = made.session_id, desk.editor
            assert made.modes is not None and made.modes.current_mode_id == "ask"
            offered = [mode.id for mode in made.modes.available_modes]
            assert offered == ["ask", "edit", "read-only"]
            await desk.connection.set_session_mode(session_id=session, mode_id="read-only")
            await desk.prompt(session, "Write.")
            assert not (a3s.work / "a").exists()
            await desk.connection.set_session_mode(session_id=session, mode_id="edit")
            await desk.prompt(session, "Write.")
            assert (a3s.work / "a").read_text() == "x"
            await desk.prompt(session, "Write what is denied.")
            assert not (a3s.work / "secret").exists()
            assert editor.asked == []
            for wrong in ("full", "magic"):
                with pytest.raises(RequestError):
                    await desk.raw("session/set_mode", sessionId=session, modeId=wrong)

    run(test)


def test_full_is_offered_where_it_was_allowed(a3s: Bench) -> None:
    async def test() -> None:
        script = [bash("touch a", "c1"), bash("touch b", "c2"), text("x")]
        async with opened(a3s, "--allow-full", "--deny", "bash(touch b)", script=script) as desk:
            session = await desk.session()
            await desk.connection.set_session_mode(session_id=session, mode_id="full")
            await desk.prompt(session, "Go.")
            assert (a3s.work / "a").exists() and not (a3s.work / "b").exists()
            assert desk.editor.asked == []

    run(test)


def test_the_model_is_an_option(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s, script=[text("x")]) as desk:
            made = await desk.connection.new_session(cwd=str(a3s.work), mcp_servers=[])
            (option,) = made.config_options or []
            assert option.current_value == "openai/test-model"
            changed = await desk.connection.set_config_option(
                session_id=made.session_id, config_id="model", value="openai/another"
            )
            assert changed is not None
            assert changed.config_options[0].current_value == "openai/another"
            await desk.prompt(made.session_id, "Go.")
            assert a3s._servers[0].requests[0].body["model"] == "another"
            with pytest.raises(RequestError) as refused:
                await desk.raw(
                    "session/set_config_option",
                    sessionId=made.session_id, configId="model", value="nobody/x",
                )  # fmt: skip
            assert refused.value.data["code"] == "config"

    run(test)


# -- sessions ------------------------------------------------------------------------------


def test_sessions_are_listed_loaded_resumed_forked_and_closed(a3s: Bench) -> None:
    async def first(desk: Desk) -> str:
        session = await desk.session()
        await desk.prompt(session, "One?")
        return session

    async def test() -> None:
        script = [bash("echo hi", "c1"), text("One.")]
        async with opened(a3s, "--allow", "bash", script=script) as desk:
            session = await first(desk)
        script = [text("Two."), text("Three."), text("Four.")]
        async with opened(a3s, script=script) as desk:
            connection, editor, server = desk.connection, desk.editor, a3s._servers[-1]
            listed = await connection.list_sessions(cwd=str(a3s.work))
            assert [(one.session_id, one.title, one.cwd) for one in listed.sessions] == [
                (session, "One?", str(a3s.work)),
            ]  # fmt: skip
            assert (await connection.list_sessions(cwd="/nowhere")).sessions == []
            with pytest.raises(RequestError):
                await desk.prompt(session, "Not open yet.")
            await connection.load_session(cwd=str(a3s.work), session_id=session, mcp_servers=[])
            await asyncio.sleep(0.1)
            kinds = [one["sessionUpdate"] for one in editor.updates]
            assert kinds[:2] == ["user_message_chunk", "tool_call"]
            assert editor.text("user_message_chunk") == "One?"
            assert editor.text() == "One."
            await desk.prompt(session, "Two?")
            said = [one["content"] for one in server.requests[-1].body["messages"]]
            assert "One?" in said and said[-1] == "Two?"
            fork = await connection.fork_session(cwd=str(a3s.work), session_id=session)
            assert fork.session_id != session
            await desk.prompt(fork.session_id, "Three?")
            said = [one["content"] for one in server.requests[-1].body["messages"]]
            assert [one for one in said if one and one.endswith("?")] == ["One?", "Two?", "Three?"]
            before = len(editor.updates)
            await connection.close_session(session_id=session)
            with pytest.raises(RequestError):
                await desk.prompt(session, "Closed.")
            await connection.resume_session(cwd=str(a3s.work), session_id=session, mcp_servers=[])
            assert len(editor.updates) == before
            await desk.prompt(session, "Four?")
            said = [one["content"] for one in server.requests[-1].body["messages"]]
            assert [one for one in said if one and one.endswith("?")] == ["One?", "Two?", "Four?"]
            for method in ("session/load", "session/resume", "session/fork"):
                with pytest.raises(RequestError):
                    await desk.raw(method, sessionId="x", cwd=str(a3s.work), mcpServers=[])
        result = a3s("run", "--session", session, "Five?", script=[text("Five.")])
        assert "Four?" in str(result.requests[-1].body["messages"])

    run(test)


def test_two_sessions_at_once(a3s: Bench) -> None:
    async def test() -> None:
        script = [bash("until [ -e go ]; do sleep 0.02; done; echo 1"), text("x"), text("y")]
        async with opened(a3s, "--allow", "bash", script=script) as desk:
            one, other = await desk.session(), await desk.session()
            first = asyncio.ensure_future(desk.prompt(one, "Go."))
            await desk.editor.wait_for(lambda up: up["sessionUpdate"] == "tool_call")
            assert (await desk.prompt(other, "Go."))["stopReason"] == "end_turn"
            assert not first.done()
            (a3s.work / "go").touch()
            assert (await first)["stopReason"] == "end_turn"

    run(test)


def test_the_editors_own_servers(a3s: Bench) -> None:
    scripted = Scripted(a3s)
    command, *args = scripted.argv("one", calls={"echo": {"environment": ["GIVEN"]}})
    server = {
        "name": "theirs",
        "command": command,
        "args": args,
        "env": [{"name": "GIVEN", "value": "by the editor"}],
    }

    async def test() -> None:
        script = [call("mcp__theirs__echo", {"text": "hi"}), text("done")]
        async with opened(a3s, "--allow", "mcp__theirs", script=script) as desk:
            made = await desk.raw("session/new", cwd=str(a3s.work), mcpServers=[server])
            await desk.prompt(made["sessionId"], "Go.")
            *_, ended = desk.editor.of("tool_call_update")
            assert ended["status"] == "completed"
            assert "by the editor" in str(ended)

    run(test)


def test_what_cannot_be_had_is_refused_clearly(a3s: Bench) -> None:
    async def test() -> None:
        async with opened(a3s) as desk:
            for params, about in (
                ({"cwd": str(a3s.work), "mcpServers": {}}, "mcpServers"),
                ({"cwd": str(a3s.work), "mcpServers": [{"command": "x"}]}, "mcpServers"),
                ({"cwd": "relative", "mcpServers": []}, "cwd"),
                ({"cwd": "/no/such/place", "mcpServers": []}, "cwd"),
                ({"mcpServers": []}, "cwd"),
                (
                    {"cwd": str(a3s.work), "mcpServers": [], "additionalDirectories": ["/tmp"]},
                    "additionalDirectories",
                ),
            ):
                with pytest.raises(RequestError) as refused:
                    await desk.raw("session/new", **params)
                assert refused.value.code == -32602 and about in str(refused.value)
            with pytest.raises(RequestError) as unknown:
                await desk.raw("session/dance")
            assert unknown.value.code == -32601
            with pytest.raises(RequestError) as unset:
                await desk.raw("session/set_config_option", sessionId="x", configId="y", value="z")
            assert unset.value.code == -32602

    run(test)


# -- the editor's buffers ------------------------------------------------------------------


def test_files_are_read_and_written_through_the_editor(a3s: Bench) -> None:
    async def test() -> None:
        file = a3s.work / "hello.py"
        file.write_text(HELLO)
        (a3s.work / ".env").write_text("KEY=1\n")
        (a3s.work / "link.py").symlink_to("hello.py")
        (a3s.work / "binary").write_bytes(b"\xff\xfe")
        edit = {"file_path": "link.py", "old_string": "unsaved", "new_string": "ours"}
        script = [
            call("read", {"file_path": "hello.py"}, "r1"),
            call("edit", edit, "e1"),
            call("write", {"file_path": "new.py", "content": "x\n"}, "w1"),
            call("read", {"file_path": ".env"}, "r2"),
            call("read", {"file_path": "binary"}, "r3"),
            text("Done."),
        ]  # fmt: skip
        rules = ("--allow", "read", "--allow", "write", "--allow", "edit", "--allow", "read(.env)")
        async with opened(a3s, *rules, script=script, reads=True, writes=True) as desk:
            editor = desk.editor
            editor.buffers[str(file)] = "unsaved = 1\n"
            editor.answers = ["once"] * 3
            assert (await desk.prompt(await desk.session(), "Go."))["stopReason"] == "end_turn"
            assert editor.files == [
                ("read", str(file)), ("read", str(file)), ("write", str(file)),
                ("write", str(a3s.work / "new.py")),
            ]  # fmt: skip
            assert editor.buffers[str(file)] == file.read_text() == "ours = 1\n"
            told = [one["content"] for one in a3s._servers[0].requests[1].body["messages"]]
            assert "unsaved = 1" in told[-1]

    run(test)


def test_a_failure_of_the_editor_is_the_call_s(a3s: Bench) -> None:
    async def test() -> None:
        (a3s.work / "a").write_text("on the disk\n")
        script = [
            call("read", {"file_path": "a"}, "r1"),
            call("write", {"file_path": "a", "content": "x"}, "w1"), text("Oh."),
        ]  # fmt: skip
        async with opened(a3s, "--allow", "write", script=script, reads=True, writes=True) as desk:
            desk.editor.failing = True
            await desk.prompt(await desk.session(), "Go.")
            said = [
                one["rawOutput"]["output"]
                for one in desk.editor.of("tool_call_update")
                if one.get("status") == "failed"
            ]
            assert said == ["the editor failed with a: the buffer is locked"] * 2
            assert (a3s.work / "a").read_text() == "on the disk\n"

    run(test)


# -- manners -------------------------------------------------------------------------------


def test_the_end_of_stdin_ends_it_all(a3s: Bench) -> None:
    sleep = processes.sleeper()

    async def test() -> None:
        async with opened(a3s, "--allow", "bash", script=[bash(f"echo on; {sleep}")]) as desk:
            session = await desk.session()
            asked = asyncio.ensure_future(desk.prompt(session, "Go."))
            await desk.editor.wait_for(lambda one: "on" in str(one.get("content")))
            began = time.monotonic()
            desk.process.stdin.close()
            assert await asyncio.wait_for(desk.process.wait(), SOON) == 0
            assert time.monotonic() - began < 2.0 + 4.0
            assert processes.wait_until_gone(sleep.split()[1], 1) == []
            asked.cancel()

    run(test)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(a3s: Bench, number: int) -> None:
    process = a3s.spawn("acp", stdin=-1, script=[], laws="none")
    assert process.process.stdin is not None
    process.process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"x"}\n')
    process.process.stdin.flush()
    process.wait_for_output(b"-32601")
    process.signal(number)
    assert process.finish(SOON).exit_status == -number


def test_an_editor_that_does_not_read_any_more(a3s: Bench) -> None:
    reader, writer = os.pipe()
    process = a3s.spawn("acp", stdin=-1, stdout=writer, script=[stall("x")], laws="none")
    os.close(writer)
    os.close(reader)
    assert process.finish(SOON).exit_status == -signal.SIGPIPE


def test_stdout_carries_the_protocol_and_nothing_else(a3s: Bench) -> None:
    lines = [
        b"garbage", b"{}", b"\xff", b'{"jsonrpc":"2.0","id":7,"method":"session/prompt"}',
        b'{"jsonrpc":"2.0","method":"unknown"}', b'{"jsonrpc":"2.0","id":8,"method":"session/new"}',
        b'{"jsonrpc":"2.0","id":9,"method":"initialize","params":{"protocolVersion":2}}',
    ]  # fmt: skip
    result = a3s("acp", stdin=b"\n".join(lines), script=[], laws="none")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    told = [(one["id"], one.get("error", {}).get("code")) for one in answers]
    assert sorted(told, key=str) == sorted(
        [(None, -32700), (None, -32600), (None, -32700), (7, -32602), (8, -32600), (9, None)],
        key=str,
    )
    assert answers[-1]["result"]["protocolVersion"] == 1
    assert (result.stderr, result.exit_status) == (b"", 0)


def test_a_wrong_rule_is_said_at_once(a3s: Bench) -> None:
    for args in (["--allow", "bahs"], ["--allow-all"]):
        result = a3s("acp", *args, stdin=b"", laws="none")
        assert (result.exit_status, result.stdout) == (2, b"")


def test_a_broken_configuration_is_an_answer(a3s: Bench) -> None:
    config = a3s.home / ".config/a3s/config.acl"
    config.parent.mkdir(parents=True)
    config.write_text("what is this {")

    async def test() -> None:
        async with opened(a3s, script=[]) as desk:
            with pytest.raises(RequestError) as refused:
                await desk.session()
            assert refused.value.data["code"] == "config"

    run(test)


# -- the embedded model --------------------------------------------------------------------


@pytest.mark.model
def test_the_embedded_model_answers_an_editor(a3s: Bench) -> None:
    from a3s_cli.local import weights

    path = weights.installed("smollm2-135m", os.environ)
    if not path or not weights.runtime_installed():
        pytest.skip("needs xllamacpp, and: a3s models pull smollm2-135m")

    async def test() -> None:
        env = {"A3S_LOCAL_MODEL": str(path), "A3S_MODEL": "local"}
        async with opened(a3s, "--tools", "read", "--max-turns", "2", env=env) as desk:
            response = await desk.prompt(await desk.session(), "Say hello.")
            assert response["stopReason"] in ("end_turn", "max_turn_requests")
            spoken = desk.editor.of("agent_message_chunk") + desk.editor.of("tool_call")
            assert spoken

    run(test)
