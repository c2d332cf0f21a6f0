"""What `a3s config` shows."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys

from a3s_cli.commands.config import as_object, as_text
from a3s_cli.config.settings import RULES
from tests.support.house import House

LOADED = """default_model = "openai/gpt-x"
max_turns = 20
timeout = "90s"
system = "a \\"b\\"\\n\\\\c"
temperature = 0.5
skills = "x"
permissions { deny = ["bash(rm:*)"] }
providers "openai" {
  apiKey = "sk-0123456789-SECRET-0123456789"
  baseUrl = "https://user:SECRET@h.example/v1?key=SECRET"
  headers = { "X-Key" = "short-SECRET" }
  models "m" { apiKey = env("M_KEY") cost = { input = 1.5 } tool_call = false }
}
"""


def test_shown_text_is_a_configuration_file_without_secrets(house: House) -> None:
    house.user(LOADED)
    config = house.load()
    text = as_text(config)
    assert "SECRET" not in text
    assert 'api_key = "sk-…89"' in text
    assert '"x-key" = "****"' in text
    assert "api_key: the variable M_KEY is not set" in text
    again = house.load(config_file=str(house.write(house.work / "c.acl", text)), project=False)
    values = {name: setting.value for name, setting in config.settings.items() if name not in RULES}
    assert {name: again.get(name) for name in values} == values
    assert [rule.value for rule in again.get("deny")] == ["bash(rm:*)"] * 2
    assert again.providers["openai"].models["m"].get("cost") == {"input": 1.5}
    assert again.notices == []


def test_shown_json_has_value_and_origin(house: House) -> None:
    path = house.user(LOADED)
    text = as_object(house.load())
    assert "SECRET" not in text
    shown = json.loads(text)
    assert shown["settings"]["max_turns"] == {"value": 20, "origin": f"{path}:2"}
    assert shown["settings"]["max_retries"] == {"value": 4, "origin": "default"}
    assert shown["settings"]["deny"] == {
        "value": [{"value": "bash(rm:*)", "origin": f"{path}:7"}],
        "origin": f"{path}:7",
    }
    assert shown["providers"]["openai"] == {
        "api_key": {"value": "sk-…89", "origin": f"{path}:9"},
        "base_url": {"value": "https://****@h.example/v1?****", "origin": f"{path}:10"},
        "headers": {"x-key": {"value": "****", "origin": f"{path}:11"}},
        "unset": {},
        "models": {
            "m": {
                "cost": {"value": {"input": 1.5}, "origin": f"{path}:12"},
                "tool_call": {"value": False, "origin": f"{path}:12"},
                "headers": {},
                "unset": {"api_key": "M_KEY"},
            }
        },
    }
    assert shown["files"] == [str(path)]
    assert shown["unused"] == [{"key": "skills", "origin": f"{path}:6"}]
    assert shown["notices"] == []


def test_shown_text_obeys_no_escape(house: House) -> None:
    house.user('system = "\x1b[2J\u202e"\npermissions { deny = ["bash(\x1b]0;x\x07)"] }')
    text = as_text(house.load())
    assert all(letter.isprintable() for letter in text.replace("\n", ""))


def test_no_repr_has_a_secret(house: House) -> None:
    house.user(LOADED)
    config = house.load()
    assert "SECRET" not in repr(
        (config.settings, config.providers, config.providers["openai"].settings)
    )


def shown(house: House, *arguments: str) -> tuple[int, str, str]:
    """Run the real command; give its exit status, stdout and stderr."""
    result = subprocess.run(
        [sys.executable, "-m", "a3s_cli", "config", "-C", str(house.work), *arguments],
        env={**house.environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout, result.stderr


def test_the_command(house: House) -> None:
    house.user(LOADED)
    project = house.project("max_turns = 9")
    assert shown(house) == (0, as_text(house.load()), "")
    assert shown(house, "--json") == (0, as_object(house.load()), "")
    assert shown(house, "--no-project") == (0, as_text(house.load(project=False)), "")
    house.write(house.work / "c.acl", "max_turns = 7")
    assert "max_turns = 7 " in shown(house, "--config", "c.acl")[1]
    project.write_text("max_turns = ")
    status, out, complaint = shown(house)
    assert (status, out) == (78, "")
    assert f"{project}:1:13: expected a value, found the end of the file" in complaint
    status, out, complaint = shown(house, "-C", str(house.work / "no"))
    assert (status, out) == (2, "")
    assert f"there is no directory {house.work}/no" in complaint


def test_a_default_that_was_chosen_turns_reading_off(house: House) -> None:
    assert house.load().reading == (True, "default")
    path = house.user('permissions { default_decision = "ask" }')
    why = f"default_decision, which is set, turns it off ({path}:1)"
    told = json.loads(shown(house, "--json")[1])["settings"]["reading"]
    assert told == {"value": False, "origin": why}
    assert f"# {why}" in shown(house)[1]
