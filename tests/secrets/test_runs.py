"""Canaries: secrets that we hold are planted everywhere, and must come out nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.sandbox.caches import variables

from ..support.a3s import Bench
from ..support.replies import a_call, bash, call, calls, cut, error, reasoning, soon, text
from ..support.run import Result

#: Without the shape of any vendor's key: what hides it must know it.
KEY = "Canary-Key-5f2c9e81d7"
ACL_KEY = "Canary-Acl-77b1e0934c"
NAMED = "Canary \"Named\" 'é' 3d91"
TOKEN = "Canary0Token1a6b4e2d8"
ENVIRONMENT = {
    "OPENAI_API_KEY": KEY,
    "MISTRAL_API_KEY": "Canary-Other-1b2c3d4e",
    "MY_ACL_KEY": ACL_KEY,
    "NAMED": NAMED,
    "GITHUB_TOKEN": TOKEN,
}
PLANTED = (*ENVIRONMENT.values(), json.dumps(NAMED)[1:-1], NAMED[::-1], KEY[::-1], TOKEN[::-1])
CONFIG = 'providers "mine" {\n apiKey = env("MY_ACL_KEY")\n baseUrl = "http://127.0.0.1:1/v1"\n}\n'


def configure(a3s: Bench) -> None:
    file = a3s.home / ".a3s" / "config.acl"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG)


def run(a3s: Bench, *args: str, **options: Any) -> Result:
    environment = {**ENVIRONMENT, **options.pop("env", {})}
    going = a3s.spawn("run", "go", *args, env=environment, **options)
    # The names of tools are hidden as well: they are not those that the model has used.
    going.check_calls = False
    return going.finish()


def assert_hidden(result: Result, *files: Path) -> None:
    """No canary in any channel; the key is in its own header, and nowhere else."""
    places = {"stdout": result.stdout, "stderr": result.stderr}
    places |= {file.name: file.read_bytes() for file in files}
    for number, seen in enumerate(result.requests):
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        headers = {name: value for name, value in seen.headers.items() if name != "authorization"}
        told = json.dumps([seen.path, headers, seen.body], ensure_ascii=False)
        places[f"request {number}"] = told.encode()
    for place, data in places.items():
        for canary in PLANTED:
            assert canary.encode() not in data, f"{canary} in {place}: {data.decode()[:4000]}"


def echoing() -> list[Any]:
    """A model that says every canary in every way that it has."""
    everything = " ".join(ENVIRONMENT.values())
    quoted = json.dumps(everything)[1:-1]
    return [
        calls(
            a_call("bash", {"command": f"echo {json.dumps(KEY)} {TOKEN}; echo '{ACL_KEY}' >&2"}),
            a_call("bash", {"command": "printf 'Canary-Key-'; sleep 0.3; printf '5f2c9e81d7 x'"}),
            a_call("read", {"file_path": f"no-such-{KEY}"}),
            a_call("edit", {"file_path": "a", "old_string": everything, "new_string": TOKEN}),
            a_call("bash", '{"command": "' + quoted),
            a_call(f"tool-{KEY}", {"a": {KEY: [everything, {"b": KEY}]}}),
            a_call("bash", {"command": "sh <denied> " + everything}),
        ),
        bash("cat file.txt; exit 3"),
        reasoning(f"thinking of {everything}", everything[:30], everything[30:]),
    ]


@pytest.mark.parametrize(
    "flags",
    [
        ("--tool-input",),
        ("-o", "raw"),
        ("-o", "pretty"),
        ("--debug",),
    ],
    ids=" ".join,
)
def test_no_canary_comes_out(a3s: Bench, flags: tuple[str, ...]) -> None:
    configure(a3s)
    (a3s.work / "AGENTS.md").write_text(f"Our key is {KEY} and {NAMED}.\n")
    (a3s.work / "file.txt").write_text("\n".join(ENVIRONMENT.values()))
    (a3s.work / "a").write_text("x")
    record = a3s.root / "run.ndjson"
    prompt = ("--stdin", "--append-system", f"It is {KEY}", "--redact-env", "NAMED")
    rules = ("--allow", "bash(echo:*)", "--allow", "bash(printf:*)", "--allow", "bash(sleep:*)",
             "--allow", "bash(cat:*)", "--allow", "bash(exit:*)", "--allow", "edit")  # fmt: skip
    result = run(
        a3s, *prompt, *rules, *flags, "--record", str(record),
        script=echoing(), stdin=" ".join(ENVIRONMENT.values()).encode(),
    )  # fmt: skip
    assert result.status == 0
    # What is kept of the session is in the home as well.
    kept = [path for path in a3s.home.rglob("*") if path.is_file()]
    assert_hidden(result, record, *kept)
    assert any(b'"session_messages"' in path.read_bytes() for path in kept)
    assert len(result.requests) == 3
    recorded = [json.loads(line) for line in record.read_bytes().splitlines()]
    said = {name: f"[redacted:{name}]" for name in ENVIRONMENT}
    expected = " ".join(said.values())
    assert recorded[-1]["text"] == expected
    assert expected in recorded[0]["prompt"]
    for event in recorded:
        told = json.dumps({name: one for name, one in event.items() if name != "redacted"})
        if "[redacted:" in told:
            assert event["redacted"] is True, event


def test_a_key_is_hidden_however_it_is_cut(a3s: Bench) -> None:
    pieces = [piece for cut in range(1, len(KEY)) for piece in ("<", KEY[:cut], KEY[cut:], ">")]
    reply = text(*pieces, *KEY, *KEY[:5], "no", *"Canary-Key")
    result = run(a3s, script=[reply])
    assert_hidden(result)
    hidden = "<[redacted:OPENAI_API_KEY]>" * (len(KEY) - 1)
    assert result.text == hidden + "[redacted:OPENAI_API_KEY]Canarno" + "Canary-Key"
    assert "".join(delta["text"] for delta in result.of("text_delta")) == result.text


def test_only_a_tail_that_could_begin_a_secret_waits(a3s: Bench) -> None:
    result = run(a3s, script=[text("one ", "two C", "anary", "- three ", "Canary-Key-", "x")])
    shown = [delta["text"] for delta in result.of("text_delta")]
    assert shown[0] == "one "
    assert "".join(shown) == result.text == "one two Canary- three Canary-Key-x"
    assert not any("redacted" in event for event in result.events)


def test_what_a_cut_answer_held_back_is_shown_before_its_error(a3s: Bench) -> None:
    result = run(a3s, script=[cut("so far Canary-K")])
    assert result.last["code"] == "truncated_stream"
    assert "".join(delta["text"] for delta in result.of("text_delta")) == "so far Canary-K"


def test_a_retry_makes_what_was_held_back_void(a3s: Bench) -> None:
    failed = reasoning("thinking Canary-K", ending="end")
    result = run(a3s, script=[failed, soon(503), reasoning("again Canary-K", "done")])
    thoughts = [delta["text"] for delta in result.of("reasoning_delta")]
    assert thoughts[0] == "thinking "
    assert "".join(thoughts[1:]) == "again Canary-K"
    assert result.text == "done"


def test_a_cut_of_long_output_does_not_go_through_a_key(a3s: Bench) -> None:
    """Head and tail are cut from what is hidden already, wherever the key lies."""
    command = f"for n in $(seq 3000); do printf '%s%05d' {KEY} $n; done"
    result = run(a3s, "--allow", "bash", script=[bash(command, "c1"), text("done")])
    assert_hidden(result)
    end = result.one("tool_end")
    assert end["truncated"] is True
    assert end["redacted"] is True
    for size in range(6, len(KEY)):
        assert KEY[:size] not in end["toolOutput"]
        assert KEY[-size:] not in end["toolOutput"]
    assert "Canary" not in result.output("c1")


def test_a_command_gets_the_allowed_environment_only(a3s: Bench) -> None:
    extra = {"LC_TIME": "C", "CI": "1", "ANYTHING": "else", "BASH_ENV": "/x", "WANTED": "yes"}
    command = 'env | cut -d= -f1 | sort | tr "\\n" " "'
    flags = ("--allow", "bash", "--env", "WANTED", "--env", "UNSET", "--env", "GITHUB_TOKEN")
    result = run(a3s, *flags, script=[bash(command), bash("env"), text("done")], env=extra)
    assert_hidden(result)
    names = set(result.of("tool_end")[0]["toolOutput"].split())
    given = {"PATH", "HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
             "XDG_DATA_HOME", "LC_TIME", "CI", "WANTED", "GITHUB_TOKEN",
             "A3S_PARENT_RUN_ID"}  # fmt: skip
    # set by bash, and by Python where the locale is C
    # and where a sandbox gives the commands caches of their own
    assert names - {"_", "SHLVL", "PWD", "OLDPWD", "LC_CTYPE"} - variables("x").keys() == (
        given - variables("x").keys()
    )
    assert "GITHUB_TOKEN=[redacted:GITHUB_TOKEN]" in result.of("tool_end")[1]["toolOutput"]


@pytest.mark.parametrize("sandbox", ["off", "auto"])
def test_no_process_up_to_ours_shows_a_key(a3s: Bench, sandbox: str) -> None:
    """Reversed, because what is printed as it is would be hidden anyway."""
    command = (
        "p=$$; while [ -r /proc/$p/stat ] && [ $p -gt 1 ]; do"
        " echo; echo $p; tr '\\0' '\\n' </proc/$p/environ | rev;"
        " tr '\\0' '\\n' </proc/$p/cmdline | rev; p=$(cut -d' ' -f4 /proc/$p/stat); done"
    )
    script = [bash(command), bash("rev /proc/self/environ /proc/1/environ"), text("done")]
    result = run(a3s, "--allow", "bash", "--sandbox", sandbox, script=script)
    assert_hidden(result)
    assert len(result.of("tool_end")[0]["toolOutput"].split()) > 4


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_provider_that_echoes_the_key(a3s: Bench, status: int) -> None:
    shaped = "sk-" + "live4Zq8" * 5
    body = {"error": {"message": f"bad header Authorization: Bearer {KEY} or {shaped}, {TOKEN}"}}
    failure = error(status, body, headers={"retry-after-ms": "1"})
    script = [failure] * (1 if status < 429 else 2)
    result = run(a3s, "--max-retries", "1", "--debug", script=script)
    assert_hidden(result)
    assert result.last["type"] == "error"
    assert shaped[8:] not in (result.stdout + result.stderr).decode()


def test_a_bug_of_ours_shows_no_key(a3s: Bench, tmp_path: Path) -> None:
    """A broken library tells the key in its exception, and the traceback quotes it."""
    source = "import os\nraise RuntimeError('with ' + os.environ['OPENAI_API_KEY'])\n"
    (tmp_path / "h11.py").write_text(source)
    result = run(a3s, "--debug", script=[], env={"PYTHONPATH": str(tmp_path)})
    assert result.last["code"] == "internal"
    assert_hidden(result)


def test_a_broken_configuration_does_not_show_the_prompt_s_secrets(a3s: Bench) -> None:
    (a3s.work / "broken.acl").write_text("providers {")
    result = a3s(
        "run", f"what is {KEY}", "--config", "broken.acl", "--redact-env", "NAMED", "-",
        env=ENVIRONMENT, stdin=NAMED.encode(), script=[],
    )  # fmt: skip
    assert result.status == 78
    assert_hidden(result)


def test_the_configuration_shows_no_key(a3s: Bench) -> None:
    configure(a3s)
    for form in ((), ("--json",)):
        result = a3s("config", *form, env=ENVIRONMENT)
        assert result.status == 0
        assert_hidden(result)


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_a_report_masks_what_looks_like_a_key(a3s: Bench, form: str) -> None:
    """Not so the recording: there a call's arguments are exact."""
    shaped = "ghp_" + "x1Y2z3" * 6
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----"
    file, policy = a3s.root / "run.ndjson", a3s.root / "audit.toml"
    policy.write_text('[[rule]]\nid = "no"\nmust_not = ["bash(echo:*)"]\n')
    script = [bash(f"echo {shaped} '{pem}' http://u:secretpw@h/"), text("done")]
    recorded = run(a3s, "--allow", "bash", "--record", str(file), script=script)
    assert shaped in recorded.one("tool_start")["toolInput"]["command"]
    summary = a3s.root / "summary.md"
    result = a3s(
        "audit", str(file), "--policy", str(policy), "--include-content", "-o", form,
        env={"GITHUB_STEP_SUMMARY": str(summary)},
    )  # fmt: skip
    assert result.status == 5
    shown = result.stdout + (summary.read_bytes() if form == "github" else b"")
    assert b"ghp_***" in shown or b"&#42;&#42;&#42;" in shown
    for part in (shaped[4:], "MIIEvQIBADANBgkq", "secretpw"):
        assert part.encode() not in shown


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--env", f"TOKEN={TOKEN}"), "NAME"),
        (("--redact-env", f"TOKEN={TOKEN}"), "NAME"),
        (
            ("--env", "OPENAI_API_KEY"),
            "OPENAI_API_KEY is the key of a provider and cannot be passed",
        ),
        (("--env", "ALIAS"), "ALIAS is the key of a provider"),
    ],
)
def test_what_env_refuses(a3s: Bench, flags: tuple[str, ...], said: str) -> None:
    result = run(a3s, *flags, script=[], laws="none", env={"ALIAS": KEY})
    assert (result.status, result.stdout) == (2, b"")
    assert said in result.stderr.decode()
    assert_hidden(result)


def test_a_value_that_is_too_short_to_be_hidden_is_told(a3s: Bench) -> None:
    result = run(a3s, "--redact-env", "SHORT", script=[text("abc1234")], env={"SHORT": "abc1234"})
    assert result.one("notice")["code"] == "secret_too_short"
    assert result.text == "abc1234"


def test_a_call_still_runs_with_what_the_model_wrote(a3s: Bench) -> None:
    """Hidden is what is shown and told, never what is done."""
    script = [call("write", {"file_path": "out.txt", "content": KEY}), text("done")]
    result = run(a3s, "--allow", "write", script=script)
    assert (a3s.work / "out.txt").read_text() == KEY
    assert_hidden(result)
    assert result.one("tool_start")["toolInput"]["content"] == "[redacted:OPENAI_API_KEY]"


def test_a_key_in_the_id_of_a_call_is_hidden(a3s: Bench) -> None:
    """A gateway may put what it likes into an id, and an id is in every event of its call."""
    same = calls(*[a_call("bash", {"command": "echo a"}, f"call_{TOKEN}{n}") for n in "12"])
    result = run(a3s, "--allow", "bash", script=[same, text("done")])
    assert TOKEN.encode() not in result.stdout
    for kept in (a3s.home / ".local/state/a3s/sessions").iterdir():
        assert kept.is_dir() or TOKEN.encode() not in kept.read_bytes()
    answered = [one["tool_call_id"] for one in result.requests[1].body["messages"][-2:]]
    assert len(set(answered)) == 2 and TOKEN not in str(answered)
    kinds = sorted(event["type"] for event in result.events if "toolId" in event)
    assert kinds == sorted(["tool_start", "tool_output_delta", "tool_end"] * 2)


def test_a_key_in_a_schema_reaches_neither_the_stream_nor_the_model(a3s: Bench) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": TOKEN}}}
    result = run(a3s, "--schema", json.dumps(schema), script=[text('{"a": "b"}')] * 2)
    assert result.last["object"] == {"a": "b"}
    assert_hidden(result)
