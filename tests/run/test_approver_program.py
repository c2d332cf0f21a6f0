"""`--on-ask exec:COMMAND`: a program answers, and nothing but a valid answer is a yes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.replies import Reply, a_call, bash, call, calls, text
from tests.support.run import HANG, Result

YES = '{"answer":"once"}'


def program(a3s: Bench, body: str, name: str = "approve") -> str:
    """Install a shell script outside the workspace; return its `exec:`."""
    path = a3s.root / "tools" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return f"exec:{shlex.quote(str(path))}"


def asked(a3s: Bench, body: str, *flags: str, script: list[Reply] | None = None) -> Result:
    script = script or [bash("touch made", "c1"), text("done")]
    return a3s("run", "hi", "--on-ask", program(a3s, body), *flags, script=script)


def kinds(result: Result) -> list[str]:
    wanted = ("permission_request", "permission_answer", "tool_start", "permission_denied")
    return [event["type"] for event in result.events if event["type"] in wanted]


def test_a_yes_runs_the_call(a3s: Bench) -> None:
    log = a3s.root / "asked"
    result = asked(a3s, f"cat > {log}; pwd >> {log}; echo '{YES}'")
    assert kinds(result) == ["permission_request", "permission_answer", "tool_start"]
    assert (a3s.work / "made").exists()
    request, answer = result.one("permission_request"), result.one("permission_answer")
    assert (answer["answer"], answer["by"], request.get("always")) == ("once", "program", None)
    line, where = log.read_text().splitlines()
    stamped = {key: value for key, value in request.items() if key not in ("seq", "ts")}
    assert json.loads(line) == {**stamped, "cwd": str(a3s.work)}
    assert line.startswith('{"type":"permission_request"') and where == "/"
    assert result.one("tool_start")["rule"] == "user"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("""echo '{"answer":"no","text":"use a branch"}'""", "said no: use a branch"),
        ("true", "the approver gave no answer"),
        (f"echo '{YES}'; exit 3", "the approver ended with exit status 3"),
        (f"echo '{YES}'; kill -SEGV $$", "the approver ended with exit status 139"),
        ("echo yes", "the approver gave an answer that is not JSON"),
        ("printf '\\377\\n'", "the approver gave an answer that is not JSON"),
        ("""echo '{"answer":"no","answer":"once"}'""", "NONE: the key 'answer' appears twice"),
        ("echo '[]'", "NONE: an answer must be a JSON object"),
        ("""echo '{"answer":"yes"}'""", "NONE: `answer` must be one of"),
        ("""echo '{"answer":"once","text":1}'""", "NONE: the `text`"),
        (f"echo '{YES}'; echo '{YES}'", "the approver wrote more than one line"),
        ("head -c 70000 /dev/zero", "the approver wrote more than 64 KiB"),
        ("yes", "the approver wrote more than 64 KiB"),
        (f"sleep 600 & echo '{YES}' >&2", "the approver gave no answer"),
    ],
)  # fmt: skip
def test_anything_else_is_a_no(a3s: Bench, body: str, why: str) -> None:
    why = why.replace("NONE", "the approver gave an answer that is not valid")
    result = asked(a3s, body)
    assert kinds(result) == ["permission_request", "permission_answer", "permission_denied"]
    assert (result.one("permission_answer")["answer"], result.one("permission_answer")["by"]) == (
        "no",
        "program",
    )
    assert why in result.one("permission_denied")["reason"]
    assert why in json.dumps(result.requests[1].body)  # the model is told
    assert not (a3s.work / "made").exists()


def test_silence_is_a_no_after_its_time(a3s: Bench) -> None:
    result = asked(a3s, "sleep 600", "--approver-timeout", "300ms")
    why = "the approver gave no answer within 0.3 s"
    assert why in result.one("permission_denied")["reason"]


def test_a_cancelled_run_takes_it_along(a3s: Bench) -> None:
    """The bench looks for processes that were left behind."""
    body = f"setsid sleep 600 & echo here > {a3s.root}/here; sleep 600"
    run = a3s.spawn("run", "hi", "--on-ask", program(a3s, body), script=[bash("true")])
    end = time.monotonic() + HANG
    while not (a3s.root / "here").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    run.signal(signal.SIGTERM)
    result = run.finish()
    assert (result.status, result.last["code"]) == (128 + signal.SIGTERM, "cancelled")


def test_always_is_exactly_this_call(a3s: Bench) -> None:
    log = a3s.root / "asked"
    body = f"""cat >> {log}; echo '{{"answer":"always"}}'"""
    write = [("f", "1"), ("f", "1"), ("f", "2"), ("g", "1")]
    script = [
        bash("echo a"), bash("echo a"), bash("echo b"), bash("echo a", timeout=5),
        *(call("write", {"file_path": name, "content": content}) for name, content in write),
        text("done"),
    ]  # fmt: skip
    asked(a3s, body, "--no-reading", "--ask", "*", script=script)
    inputs = [json.loads(line)["toolInput"] for line in log.read_text().splitlines()]
    assert inputs == [
        {"command": "echo a"},
        {"command": "echo b"},
        {"command": "echo a", "timeout": 5},
        *({"file_path": name, "content": content} for name, content in [write[0], *write[2:]]),
    ]


def test_a_gate_for_every_call(a3s: Bench) -> None:
    log = a3s.root / "asked"
    (a3s.work / "f").write_text("content")
    several = calls(
        a_call("read", {"file_path": "f"}), a_call("ls", {}), a_call("bash", {"command": "ls"})
    )
    result = asked(
        a3s,
        f"cat >> {log}; echo '{YES}'",
        "--ask",
        "*",
        "--allow",
        "bash",
        script=[several, text("done")],
    )
    names = [json.loads(line)["toolName"] for line in log.read_text().splitlines()]
    assert names == ["read", "ls", "bash"]
    assert len([event for event in result.events if event["type"] == "tool_end"]) == 3


def test_the_request_is_whole(a3s: Bench) -> None:
    """An event has to fit into its line; what a program judges may not be cut."""
    log, content = a3s.root / "asked", "é\n" * 200_000
    script = [call("write", {"file_path": "f", "content": content}), text("done")]
    result = asked(a3s, f"cat > {log}; echo '{YES}'", script=script)
    [line] = log.read_bytes().splitlines()
    assert json.loads(line)["toolInput"] == {"file_path": "f", "content": content}
    assert result.one("permission_request")["inputTruncated"] is True
    assert (a3s.work / "f").read_text() == content


def test_its_environment_has_no_keys_of_providers(a3s: Bench) -> None:
    log = a3s.root / "env"
    key = a3s.environment(None)["OPENAI_API_KEY"]
    env = {"SLACK_TOKEN": "xoxb-1", "COPIED": f"Bearer {key}"}
    script = [bash(f"echo {key}"), text("done")]
    a3s(
        "run", "hi", "--on-ask", program(a3s, f"env > {log}; cat >> {log}; echo '{YES}'"),
        script=script, env=env,
    )  # fmt: skip
    said = log.read_text()
    assert "SLACK_TOKEN=xoxb-1" in said and "HOME=" in said
    assert key not in said and "API_KEY=" not in said and "COPIED" not in said


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program --now", "no such program is installed outside the workspace"),
        ("/no/such/program", "there is no such file"),
        ("{work}/approve", "it is inside the workspace, where the model could change it"),
        ("./approve", "it is inside the workspace, where the model could change it"),
        ("{link}", "it is inside the workspace, where the model could change it"),
        ("approve-here", "no such program is installed outside the workspace"),
        ("{plain}", "it is not executable"),
        ("{bare}", "it is a script without a #! line"),
        ("{lost}", "its interpreter '/no/such/sh' does not exist"),
        ("/", "it is not executable"),
    ],
)
def test_what_cannot_be_started_ends_the_run_first(a3s: Bench, command: str, why: str) -> None:
    for name in ("approve", "approve-here"):
        (a3s.work / name).write_text(f"#!/bin/sh\necho '{YES}'\n")
        (a3s.work / name).chmod(0o755)
    link = a3s.root / "link"
    link.symlink_to(a3s.work / "approve")
    files = {"plain": "#!/bin/sh\n", "bare": "echo\n", "lost": "#!/no/such/sh\n"}
    for name, content in files.items():
        (a3s.root / name).write_text(content)
        (a3s.root / name).chmod(0o644 if name == "plain" else 0o755)
    places = {name: a3s.root / name for name in (*files, "link")}
    command = command.format(work=a3s.work, **places)
    env = {"PATH": f"{a3s.work}:{os.environ['PATH']}"}
    result = a3s("run", "hi", "--on-ask", f"exec:{command}", script=[], env=env)
    assert (result.status, result.last["code"]) == (69, "unavailable")
    assert [event["type"] for event in result.events] == ["start", "error"]
    assert result.last["error"].endswith(f"cannot be started: {why}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("exec:", "expected a command after exec:, quoted as in a shell"),
        ("exec: ''", "expected a command after exec:, quoted as in a shell"),
        ("exec:'x", "expected a command after exec:, quoted as in a shell"),
        ("exex:x", "exex:x"),
    ],
)
def test_a_command_that_is_none(a3s: Bench, value: str, expected: str) -> None:
    result = a3s("run", "hi", "--on-ask", value, laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert expected in result.stderr.decode()


def test_it_is_split_as_a_shell_would_and_run_without_one(a3s: Bench) -> None:
    log = a3s.root / "arguments"
    command = program(a3s, f"""printf '%s\\n' "$@" > {log}; echo '{YES}'""")
    script = [bash("true"), text("done")]
    a3s("run", "hi", "--on-ask", f"{command} 'a b' \"$HOME\" c\\ d '*' ; e", script=script)
    assert log.read_text().split("\n") == ["a b", "$HOME", "c d", "*", ";", "e", ""]


def test_only_the_user_names_it(a3s: Bench) -> None:
    told = program(a3s, f"echo '{YES}'")
    mine = a3s.home / ".config/a3s/config.acl"
    mine.parent.mkdir(parents=True)
    mine.write_text(f'permissions {{ on_ask = "{told}" approver_timeout = "9s" }}')
    script = [bash("touch made"), text("done")]
    assert "tool_start" in kinds(a3s("run", "hi", script=script))
    mine.write_text("")
    theirs = a3s.work / ".a3s/config.acl"
    theirs.parent.mkdir()
    theirs.write_text(f'permissions {{ on_ask = "{told}" }}')
    for _ in range(2):
        result = a3s("run", "hi", script=script)
        assert "tool_start" not in kinds(result)
        [notice] = [one for one in result.events if one.get("code") == "config_untrusted"]
        assert notice["keys"] == ["permissions.on_ask"]
        assert a3s("trust").status == 0


def test_its_command_is_part_of_the_policy(a3s: Bench) -> None:
    def digest(*flags: str) -> Any:
        return a3s("run", "hi", *flags, script=[text("yo")]).events[0]["policySha256"]

    one, two = program(a3s, "true", "one"), program(a3s, "true", "two")
    found = [
        digest(),
        digest("--on-ask", one),
        digest("--on-ask", two),
        digest("--on-ask", f"{one} x"),
    ]
    assert len(set(found)) == 4
    assert digest("--on-ask", f"{one}  'x'") == found[3]


def test_it_answers_in_a_dialogue_and_holds_for_the_process(a3s: Bench) -> None:
    log = a3s.root / "asked"
    body = f"""cat >> {log}; echo '{{"answer":"always"}}'"""
    prompts = b'{"type":"prompt","text":"a"}\n{"type":"prompt","text":"b"}\n'
    result = a3s(
        "run", "--input", "json", "--on-ask", program(a3s, body),
        script=[bash("echo 1 > f"), text("one"), bash("echo 1 > f"), text("two")],
        stdin=prompts, laws="several",
    )  # fmt: skip
    assert result.status == 0
    assert len(log.read_text().splitlines()) == 1
    assert len([one for one in result.events if one["type"] == "tool_end"]) == 2


DOCUMENT = Path(__file__).parent.parent.parent / "docs/pipelines.md"
#: Programs in place of those that the documented scripts ask: they check how they are
#: called, and answer as the real ones do.
OPA = """
import json, os, sys
assert sys.argv[1:] == ["eval", "--stdin-input", "--data", os.environ["HOME"] + "/a3s.rego",
                        "--format", "json", "data.a3s.answer"], sys.argv
asked = json.load(sys.stdin)
command = asked["toolInput"].get("command", "")
if command == "crash":
    sys.exit(2)
if command == "silent":
    print(json.dumps({}))
else:
    answer = {"answer": "once"} if command.startswith("wc ") else {"answer": "no", "text": "count"}
    print(json.dumps({"result": [{"expressions": [{"value": answer, "text": "data.a3s.answer"}]}]},
                     indent=2))
"""
CURL = """
import json, os, sys, urllib.parse
*flags, url = sys.argv[1:]
said, place = dict(), os.environ["HOME"] + "/polled"
assert "Authorization: Bearer xoxb-1" in flags
for flag, value in zip(flags, flags[1:]):
    if flag in ("-d", "--data-urlencode"):
        said.update([value.split("=", 1)])
assert said["channel"] == "C1"
if url == "https://slack.com/api/chat.postMessage":
    open(place, "w").write(said["text"])
    known = os.environ["SLACK_CHANNEL"] == "C1" and "wrong" not in said["text"]
    print(json.dumps({"ok": True, "ts": "17.5"} if known else {"ok": False, "error": "no"}))
else:
    assert url == "https://slack.com/api/reactions.get" and said["timestamp"] == "17.5"
    text = open(place).read()
    first = not text.startswith("again ")
    open(place, "w").write("again " + text.removeprefix("again "))
    name = "-1" if "touch" in text else "+1"
    found = [{"name": "eyes"}] + ([] if first else [{"name": name}])
    print(json.dumps({"ok": True, "message": {"reactions": found}}))
"""


def documented(a3s: Bench, name: str, program: str, stand_in: str) -> str:
    """Install an approver of the documents, and a program in place of what it asks."""
    found = re.search(
        rf"<!-- test: approver={name} -->\n```sh\n(#!/bin/sh\n.*?)^```$",
        DOCUMENT.read_text(),
        re.M | re.S,
    )
    assert found
    place = a3s.root / "programs"
    place.mkdir()
    (place / program).write_text(f"#!{sys.executable} -I\n{stand_in}")
    (place / f"approve-{name}").write_text(found[1].replace("sleep 2", "sleep 0.1"))
    for path in place.iterdir():
        path.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq")
@pytest.mark.parametrize(
    ("name", "program", "stand_in", "commands", "answers"),
    [
        ("opa", "opa", OPA, ["wc x", "rm x", "silent", "crash"], ["once", "no", "no", "no"]),
        ("slack", "curl", CURL, ["true", "touch x", "wrong"], ["once", "no", "no"]),
    ],
)
def test_the_documented_approvers(
    a3s: Bench, name: str, program: str, stand_in: str, commands: list[str], answers: list[str]
) -> None:
    path = documented(a3s, name, program, stand_in)
    environment = {"PATH": path, "SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1"}
    script = [*(bash(command) for command in commands), text("done")]
    flags = ("--no-reading", "--on-ask", f"exec:approve-{name}")
    result = a3s("run", "hi", *flags, script=script, env=environment)
    assert [one["answer"] for one in result.of("permission_answer")] == answers
    assert [one["toolInput"]["command"] for one in result.of("tool_start")] == commands[:1]


#: What an approver may do, and whether that is a yes.
ODD = [
    ("printf '%s\\r\\n' '{\"answer\":\"once\"}'", True),
    ('printf \'  {"answer" : "once"}  \'', True),
    ('echo \'{"answer":"always","more":[1]}\'', True),
    ('echo \'{"answer":"once","text":"fine"}\'', True),
    ('exec <&-; echo \'{"answer":"once"}\'', True),
    ('echo \'{"answer":"once"}\'; echo noise >&2', True),
    ('(sleep 300 &); echo \'{"answer":"once"}\'', True),
    ('printf \'\\357\\273\\277{"answer":"once"}\'', False),
    ('printf \'\\n{"answer":"once"}\'', False),
    ('printf \'{"answer":"once"\'', False),
    ('echo \'{"answer":"ONCE"}\'', False),
    ("echo '{\"answer\":null}'", False),
    ('echo \'{"answer":["once"]}\'', False),
    ('echo \'{"ANSWER":"once"}\'', False),
    ("echo '\"once\"'", False),
    ("head -c 60000 /dev/zero | tr '\\0' '['", False),
    ('echo \'{"answer":"once"}\'; exit 1', False),
    ('echo \'{"answer":"once"}\'; kill -9 $$', False),
    ('echo \'{"answer":"once"}\'; exec sleep 300', False),
]


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq")
def test_only_a_whole_answer_is_a_yes(a3s: Bench) -> None:
    """The approver does what the call says, and the call is then allowed or not."""
    body = 'line=$(cat); eval "$(printf %s "$line" | jq -r .toolInput.command)"'
    script = [*(bash(command, timeout=5) for command, _ in ODD), text("done")]
    result = asked(a3s, body, "--no-reading", "--approver-timeout", "4s", script=script)
    given = [one["answer"] for one in result.of("permission_answer")]
    assert [answer != "no" for answer in given] == [yes for _, yes in ODD]
    assert [one["toolInput"]["command"] for one in result.of("tool_start")] == [
        command for command, yes in ODD if yes
    ]
