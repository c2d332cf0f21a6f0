"""What a configuration file may say: keys, values, and the forms that other programs document."""

from __future__ import annotations

from typing import Any

import pytest

from a3s_cli.config.durations import EXPECTED
from a3s_cli.config.settings import KEYS, PERMISSION_KEYS
from a3s_cli.errors import UsageError
from tests.support.house import House, failure, notices, rules

WHOLE = "expected a whole number of at least"


def test_an_unknown_key_is_a_notice_with_the_nearest(house: House) -> None:
    path = house.user(
        'max_turn = 3\nmaxTurnz = 3\nxyzzy = 1\nprovider "x" {}\npermisions { deny = ["bash"] }\n'
        'permissions { alow = [] }\nproviders "p" { apikey = "SECRET"\n'
        '  models "m" { limt = {} limit = { outputs = 1 } cost = { inputs = 1 } } }'
    )
    config = house.load()
    found = [
        (fields["key"], fields["line"], fields.get("nearest")) for _, fields in notices(config)
    ]
    assert found == [
        ("max_turn", 1, "max_turns"),
        ("maxTurnz", 2, "max_turns"),
        ("xyzzy", 3, None),
        ("provider", 4, "providers"),
        ("permisions", 5, "permissions"),
        ("alow", 6, "allow"),
        ("apikey", 7, "api_key"),
        ("limt", 8, "limit"),
        ("outputs", 8, "output"),
        ("inputs", 8, "input"),
    ]
    assert config.notices[0] == (
        "config_key_unknown",
        f'{path}:1:1: unknown key "max_turn", did you mean "max_turns"?',
        {"file": str(path), "line": 1, "key": "max_turn", "nearest": "max_turns"},
    )
    assert "SECRET" not in repr(config.notices)


def test_a_misspelt_denial_of_a_project_is_a_notice(house: House) -> None:
    house.project('permissions { denny = ["bash"] }')
    assert [fields["nearest"] for _, fields in notices(house.load())] == ["deny"]


def test_keys_of_other_programs_are_quiet(house: House) -> None:
    path = house.user('skills = "x"\nmemory "m" { env = { TOKEN = f("x") } }\nthinkingBudget = []')
    config = house.load()
    assert config.notices == []
    assert [tuple(key) for key in config.unused] == [
        ("skills", f"{path}:1"),
        ("memory", f"{path}:2"),
        ("thinking_budget", f"{path}:3"),
    ]


def test_camel_case_is_the_same_key(house: House) -> None:
    house.user(
        'defaultModel = "p/m" maxToolRounds = 3 permissions { defaultDecision = "deny" }\n'
        'providers "p" { apiKey = "k" baseUrl = "http://h" models "m" { toolCall = false } }'
    )
    config = house.load()
    assert (config.get("default_model"), config.get("max_turns")) == ("p/m", 3)
    assert config.get("default_decision") == "deny"
    provider = config.providers["p"]
    assert (provider.get("api_key"), provider.get("base_url")) == ("k", "http://h")
    assert provider.models["m"].get("tool_call") is False
    assert config.notices == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('max_turns = "3"', f"1:13: {WHOLE} 1 for max_turns, found a string"),
        ("max_turns = true", f"1:13: {WHOLE} 1 for max_turns, found true or false"),
        ("max_tool_rounds = 0", f"1:19: {WHOLE} 1 for max_tool_rounds, found a number"),
        ("max_retries = 1.5", f"1:15: {WHOLE} 0 for max_retries, found a number"),
        ("max_turns = 1e300", f"1:13: {WHOLE} 1 for max_turns, found a number"),
        ("max_turns {}", "1:1: expected max_turns = …, found a block"),
        ("system = [1]", "1:10: expected a string for system, found a list"),
        ("temperature = 3", "1:15: expected a number from 0 to 2 for temperature, found a number"),
        (
            'timeout = "SECRET"',
            f"1:11: expected {EXPECTED} for timeout, found another string",
        ),
        (
            "timeout = 0",
            f"1:11: expected {EXPECTED} for timeout, found another number",
        ),
        ("permissions = 3", "1:15: expected permissions { … }, found a number"),
        (
            "permissions { allow = [1] }",
            "1:24: expected a list of strings for allow, found a number",
        ),
        (
            'permissions { allow = "" }',
            "1:23: expected a list of strings for allow, found an empty string",
        ),
        ("permissions { allow {} }", "1:15: expected a list of strings for allow, found a block"),
        (
            'permissions { default_decision = "denny" }',
            '1:34: expected one of "deny", "allow", "ask" for default_decision,'
            " found another string",
        ),
        ("permissions { on_ask = 3 }", "1:24: expected a string for on_ask, found a number"),
        (
            'permissions { deny = ["read",\n  "bsh(rm:*)"] }',
            "2:3: the rule 'bsh(rm:*)' is for an unknown tool; did you mean bash?",
        ),
        ("read_only = 1", "1:13: expected true or false for read_only, found a number"),
        (
            "network = of",
            '1:11: expected one of "off", "on" for network, found another string',
        ),
        (
            'env = ["A", "B=SECRET"]',
            "1:13: expected the NAME of a variable, without its value for env, found NAME=VALUE",
        ),
        ("redact_env = 3", "1:14: expected a list of strings for redact_env, found a number"),
        (
            'trust = "a/b"',
            "1:9: expected the absolute path of a directory for trust, found another string",
        ),
        (
            'providers { name = "openai" }',
            '1:1: expected one quoted name, as in providers "openai" { … }, found none',
        ),
        (
            'providers "a" { models { id = "x" } }',
            '1:17: expected one quoted name, as in models "gpt-x" { … }, found none',
        ),
        (
            'providers "a" "b" {}',
            '1:1: expected one quoted name, as in providers "openai" { … }, found 2',
        ),
        (
            'providers "a/b" {}',
            "1:1: expected a provider's name without slash and space, found another name",
        ),
        (
            'providers "a" { api = "opena-chat" }',
            '1:23: expected one of "openai-chat", "openai-responses", "anthropic", "gemini"'
            " for api, found another string",
        ),
        (
            'providers "a" { apiKey = ["SECRET"] }',
            "1:26: expected a string for apiKey, found a list",
        ),
        ('providers "a" { headers = "SECRET" }', "1:27: expected headers { … }, found a string"),
        (
            'providers "a" { headers = { "a b" = "c" } }',
            "1:29: expected the name of an HTTP header, found another string",
        ),
        (
            'providers "a" { headers = { "Content-Length" = "5" } }',
            "1:29: expected a header other than those that frame the body, found Content-Length",
        ),
        (
            r'providers "a" { headers = { a = "c\nd" } }',
            "1:33: expected a string of printable ASCII for a, found something else",
        ),
        (
            'providers "a" { models "m" { tool_call = 1 } }',
            "1:42: expected true or false for tool_call, found a number",
        ),
        (
            'providers "a" { models "m" { limit = { output = 0 } } }',
            f"1:49: {WHOLE} 1 for output, found a number",
        ),
        (
            'providers "a" { models "m" { cost = { input = -1 } } }',
            "1:47: expected a number from 0 to 1e+06 for input, found a number",
        ),
        ("system = env()", '1:10: expected env("NAME"), found env without a name'),
        ("a = [", "1:6: expected ']' for the '[' of 1:5, found the end of the file"),
    ],
)
def test_a_wrong_value_is_an_error_with_its_place(house: House, text: str, message: str) -> None:
    path = house.user(text)
    found = failure(house)
    assert found == f"{path}:{message}"
    assert "SECRET" not in found


def test_a_file_of_other_bytes(house: House) -> None:
    path = house.user("")
    path.write_bytes(b"\xef\xbb\xbfmax_turns = 3\r\nsystem = '\xff'")
    assert failure(house) == f"{path}:2:11: expected UTF-8 text, found the byte 0xff"
    path.write_bytes(b"\xef\xbb\xbfmax_turns = 3\r\n")
    assert house.load().get("max_turns") == 3


def test_an_unset_variable_leaves_the_key_absent(house: House) -> None:
    path = house.user(
        'system = env("TEXT")\npermissions { deny = [env("RULE"), "bash"] }\n'
        'providers "p" { apiKey = env("KEY") baseUrl = env("URL") }'
    )
    config = house.load(TEXT="", URL="http://h")
    assert config.get("system") is None
    assert rules(config, "deny") == [("bash", f"{path}:2")]
    assert config.providers["p"].settings == {"base_url": ("http://h", f"{path}:3")}
    assert config.providers["p"].unset == {"api_key": "KEY"}
    assert house.load(TEXT="t").settings["system"] == ("t", f"{path}:1")


def test_null_leaves_the_key_to_a_weaker_layer(house: House) -> None:
    house.user("max_turns = null\ntimeout = null")
    assert (house.load().get("max_turns"), house.load().get("timeout")) == (50, None)


def test_a_call_that_nobody_evaluates_is_a_notice(house: House) -> None:
    path = house.user('system = concat("SECRET", env("X"))')
    config = house.load()
    assert config.get("system") is None
    assert config.notices == [
        (
            "config_call_ignored",
            f"{path}:1:10: concat() is not evaluated; system is unset",
            {"file": str(path), "line": 1, "key": "system"},
        )
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"max_turns": 0}, "--max-turns: expected a whole number of at least 1"),
        ({"on_ask": "x"}, '--on-ask: expected one of "prompt", "deny", "fail", "exec:COMMAND"'),
        ({"sandbox": "yes"}, '--sandbox: expected one of "auto", "require", "off"'),
        ({"env": ["A", "B=1"]}, "--env: expected the NAME of a variable, without its value"),
        ({"redact_env": ["A B"]}, "--redact-env: expected the name of a variable"),
        ({"timeout": "soon"}, f"--timeout: expected {EXPECTED}"),
    ],
)
def test_a_bad_flag_is_a_usage_error(house: House, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        house.load(flags)
    assert str(caught.value) == message


CHOICES = {
    "default_decision": "deny", "on_ask": "fail", "reasoning": "low", "sandbox": "off",
    "network": "off", "protect": "tracked", "read_only": True, "reading": False,
}  # fmt: skip


def test_every_setting_can_be_a_flag(house: House) -> None:
    for name, key in {**KEYS, **PERMISSION_KEYS}.items():
        value = CHOICES.get(name, 1)
        given_value = "text" if name in ("default_model", "system", "append_system") else value
        flag = key.flag or name
        found = house.load({flag: given_value}).settings[name]
        assert found == (given_value, "--" + flag.replace("_", "-"))


SAMPLES = {
    "A": """
default_model = "openai/gpt-x"
providers "openai" {
  apiKey  = env("OPENAI_API_KEY")
  baseUrl = env("OPENAI_BASE_URL")
  models "gpt-x" { name = "GPT X"  tool_call = true }
}
""",
    "B": """
default_model   = "anthropic/claude-s"
max_tool_rounds = 20
thinking_budget = 4096
providers "anthropic" {
  api_key = env("ANTHROPIC_API_KEY")
  models "claude-s" { name = "S"  limit = { context = 200000, output = 8192 } }
}
providers "openai" {
  api_key = env("OPENAI_API_KEY")
  models "gpt-x"       { name = "X" }
  models "gpt-x-proxy" { name = "X"  apiKey = env("PROXY_KEY")  baseUrl = "https://p.example/v1" }
}
""",
    "C": """
default_model = "ollama/llama3.2"
providers "ollama" {
  apiKey = "x"  baseUrl = "http://127.0.0.1:11434/v1"  models "llama3.2" { name = "local" }
}
""",
    "D": """
default_model   = "openai/gpt-x"
storage_backend = "file"
sessions_dir    = "./.a3s/sessions"
skill_dirs      = ["./.a3s/skills"]
agent_dirs      = ["./.a3s/agents"]
auto_delegation { enabled = true  min_confidence = 0.72  max_tasks = 4 }
mcp_servers "echo" {
  transport = "stdio"  command = "node"  args = ["srv.mjs"]  env = { TOKEN = env("TOKEN") }
}
providers "openai" { apiKey = env("OPENAI_API_KEY")  models "gpt-x" { name = "X" } }
""",
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("crlf", [False, True])
def test_documented_files_load_without_a_word(house: House, name: str, crlf: bool) -> None:
    text = SAMPLES[name].replace("\n", "\r\n") if crlf else SAMPLES[name]
    (house.work / "c.acl").write_bytes(text.encode())
    config = house.load(config_file="c.acl", OPENAI_API_KEY="k")
    assert config.notices == []
    assert config.get("default_model") == text.partition('"')[2].partition('"')[0]
    assert config.get("max_turns") == (20 if name == "B" else 50)
    unused = {"A": 0, "B": 1, "C": 0, "D": 5}
    assert len(config.unused) == unused[name]


def test_a_setting_that_is_given_twice(house: House) -> None:
    """However it is spelled, and in whichever block of the file."""
    path = house.user(
        "max_turns = 3\nmaxTurns = 4\n"
        'permissions { onAsk = "deny" }\npermissions { on_ask = "fail" }\n'
        'providers "p" { apiKey = "one" } providers "p" { api_key = "two"\n'
        '  headers { A = "x"\n a = "y" }\n  models "m" { cost { input = 1\n input = 2 }\n'
        "  cost { input = 3 } } }\n"
        'system = "a"'
    )
    config = house.load()
    assert {code for code, _ in notices(config)} == {"config_key_repeated"}
    assert [(fields["key"], fields["line"]) for _, fields in notices(config)] == [
        ("maxTurns", 2), ("on_ask", 4), ("api_key", 5), ("a", 7), ("input", 9), ("cost", 10),
    ]  # fmt: skip
    assert (
        config.notices[0].text
        == f'{path}:2:1: this "maxTurns" counts, not the earlier one in line 1'
    )
    assert (config.get("max_turns"), config.get("on_ask")) == (4, "fail")
    assert "two" not in repr(config.notices)


def test_a_setting_that_is_given_once_in_each_file(house: House) -> None:
    house.user("max_turns = 3")
    house.project("max_turns = 2")
    assert house.load().notices == []
