"""The layers of the configuration, and where its files are."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - another user's view needs another process
import sys
from pathlib import Path

import pytest

from a3s_cli.config.layers import load
from tests.support.house import House, failure, refused, rules


def test_defaults(house: House) -> None:
    config = house.load()
    assert {name: setting.value for name, setting in config.settings.items()} == {
        "default_model": None,
        "system": None,
        "append_system": None,
        "max_turns": 50,
        "max_tool_calls": None,
        "max_tokens": None,
        "max_retries": 4,
        "max_response_bytes": 64 * 1024 * 1024,
        "max_attachment_bytes": 20_000_000,
        "max_parallel": 8,
        "timeout": None,
        "tool_timeout": 120.0,
        "idle_timeout": 60.0,
        "first_byte_timeout": 300.0,
        "temperature": None,
        "reasoning": None,
        "max_cost": None,
        "sandbox": "auto",
        "network": "on",
        "protect": "all",
        "read_only": False,
        "default_decision": "ask",
        "reading": True,
        "on_ask": None,
        "approver_timeout": 60.0,
        "deny": (),
        "ask": (),
        "allow": (),
        "env": (),
        "redact_env": (),
        "trust": (),
        "fallback_model": (),
        "plugins": (),
    }
    assert {setting.origin for setting in config.settings.values()} == {"default"}
    assert (config.providers, config.notices, config.unused, config.files) == ({}, [], [], [])


def test_each_layer_is_stronger_than_the_next(house: House) -> None:
    user = house.user('default_model = "u/m"\nmax_turns = 40\nmax_retries = 3\ntimeout = "1h"')
    project = house.project("max_turns = 30 max_parallel = 2\nmax_retries = 2")
    explicit = house.write(house.work / "c.acl", 'default_model = "e/m"\nmax_turns = 20')
    config = house.load(
        {"max_turns": 10, "timeout": None}, "c.acl", A3S_MODEL="v/m", A3S_CONFIG="ignored.acl"
    )
    assert {
        name: tuple(setting)
        for name, setting in config.settings.items()
        if setting.origin != "default"
    } == {
        "default_model": ("v/m", "A3S_MODEL"),
        "max_turns": (10, "--max-turns"),
        "max_retries": (2, f"{project}:2"),
        "max_parallel": (2, f"{project}:1"),
        "timeout": (3600.0, f"{user}:4"),
    }
    assert config.files == [str(user), str(explicit), str(project)]
    assert house.load(config_file="c.acl").settings["max_turns"] == (20, f"{explicit}:2")
    assert house.load(config_file="c.acl").settings["default_model"] == ("e/m", f"{explicit}:1")
    assert house.load({"model": "f/m"}, A3S_MODEL="v/m").settings["default_model"] == (
        "f/m",
        "--model",
    )


def test_rules_of_all_layers_add_up(house: House) -> None:
    user = house.user('permissions { deny = "bash" allow = "ls"\n default_decision = "allow" }')
    project = house.project('permissions = {\n ask = ["read",\n "grep"] }')
    explicit = house.write(house.work / "c.acl", 'permissions { deny = ["edit"] on_ask = fail }')
    config = house.load({"deny": ("glob",), "allow": ()}, str(explicit))
    assert rules(config, "deny") == [
        ("bash", f"{user}:1"), ("edit", f"{explicit}:1"), ("glob", "--deny")
    ]  # fmt: skip
    assert rules(config, "ask") == [("read", f"{project}:2"), ("grep", f"{project}:3")]
    assert rules(config, "allow") == [("ls", f"{user}:1")]
    assert config.settings["default_decision"] == ("allow", f"{user}:2")
    assert config.settings["on_ask"] == ("fail", f"{explicit}:1")


@pytest.mark.parametrize("variable", ["A3S_CONFIG", "A3S_CONFIG_FILE"])
def test_a_variable_names_the_file(house: House, variable: str) -> None:
    path = house.write(house.work / "c.acl", "max_turns = 7")
    config = house.load(**{variable: "c.acl"})
    assert config.settings["max_turns"] == (7, f"{path}:1")
    assert house.load(**{variable: ""}).get("max_turns") == 50


def test_the_first_variable_wins(house: House) -> None:
    house.write(house.work / "a.acl", "max_turns = 1")
    house.write(house.work / "b.acl", "max_turns = 2")
    assert house.load(A3S_CONFIG="b.acl", A3S_CONFIG_FILE="a.acl").get("max_turns") == 2


def test_a_named_file_that_is_missing_is_an_error(house: House) -> None:
    expected = "expected a readable file, found none at no.acl"
    assert failure(house, config_file="no.acl") == f"--config: {expected}"
    assert failure(house, A3S_CONFIG="no.acl") == f"A3S_CONFIG: {expected}"
    assert "expected a regular file" in failure(house, config_file=".")


def test_a_named_file_may_be_a_pipe_or_nothing(house: House) -> None:
    read, write = os.pipe()
    os.write(write, b"max_turns = 7")
    os.close(write)
    assert house.load(config_file=f"/dev/fd/{read}").get("max_turns") == 7
    os.close(read)
    assert house.load(config_file="/dev/null").get("max_turns") == 50


def test_an_endless_file_is_refused(house: House) -> None:
    assert failure(house, config_file="/dev/zero") == (
        "/dev/zero:1:1: expected at most 1 MiB, found more"
    )


def test_xdg_before_home(house: House) -> None:
    house.user("max_turns = 1")
    assert house.load().get("max_turns") == 1
    house.write(house.home / ".config" / "a3s" / "config.acl", "max_turns = 2")
    assert house.load().get("max_turns") == 2
    xdg = house.home / "xdg"
    assert house.load(XDG_CONFIG_HOME=str(xdg)).get("max_turns") == 1
    house.write(xdg / "a3s" / "config.acl", "max_turns = 3")
    assert house.load(XDG_CONFIG_HOME=str(xdg)).get("max_turns") == 3
    assert house.load(XDG_CONFIG_HOME="relative").get("max_turns") == 2


@pytest.mark.parametrize("home", [None, "", "relative", "/nonexistent", "/dev/null"])
def test_a_home_that_is_none(house: House, home: str | None) -> None:
    house.environment = {} if home is None else {"HOME": home}
    house.project("max_turns = 9")
    assert house.load().get("max_turns") == 9
    house.write(house.home / "a3s" / "config.acl", "max_turns = 3")
    assert house.load(XDG_CONFIG_HOME=str(house.home)).get("max_turns") == 3


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user")
def test_what_cannot_be_looked_into_is_absent_and_what_cannot_be_read_is_an_error(
    house: House,
) -> None:
    house.user("max_turns = 1")
    for directory in (house.home, *house.home.parents[:-1]):
        if directory.owner() == "root" and directory != Path("/tmp"):
            directory.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from a3s_cli.config.layers import load; from a3s_cli.errors import ConfigError\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: print(load({}, os.environ, Path('/')).get('max_turns'))\n"
        "except ConfigError as error: print(error)\n"
    )

    def as_nobody() -> str:
        environment = {"HOME": str(house.home), "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    path = house.home / ".a3s" / "config.acl"
    path.chmod(0)
    assert as_nobody() == f"{path}: expected a readable file, found: Permission denied"
    house.home.chmod(0)
    assert as_nobody() == "50"


def test_the_walk_goes_up_to_the_nearest_file(house: House) -> None:
    house.project("max_turns = 9")
    deep = house.work / "a" / "b"
    deep.mkdir(parents=True)
    assert house.load(workspace=deep).get("max_turns") == 9
    house.write(house.work / "a" / ".a3s" / "config.acl", "max_turns = 8")
    assert house.load(workspace=deep).get("max_turns") == 8
    assert house.load(workspace=deep, project=False).get("max_turns") == 50


def test_the_walk_ends_at_home(house: House) -> None:
    """Whatever lies in or above the home is no project's, whichever user's file is in force."""
    house.user("max_turns = 9")
    house.write(house.home.parent / ".a3s" / "config.acl", "max_turns = 3")
    house.write(house.home / ".config" / "a3s" / "config.acl", "")
    inside = house.home / "project"
    inside.mkdir()
    assert house.load(workspace=inside).get("max_turns") == 50
    assert house.load(workspace=house.home).get("max_turns") == 50
    link = house.home.parent / "link"
    link.symlink_to(house.home)
    house.environment["HOME"] = str(link)
    assert house.load(workspace=inside).get("max_turns") == 50


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a directory away")
def test_the_walk_ends_before_another_owner(house: House) -> None:
    house.project("max_turns = 9")
    inside = house.work / "inside"
    inside.mkdir()
    os.chown(house.work, 65534, 65534)
    assert house.load(workspace=inside).get("max_turns") == 50
    assert house.load().get("max_turns") == 9  # a container's root in a user's checkout


def test_the_walk_ends_at_a_mount_point() -> None:
    assert Path("/dev/shm").is_mount(), "a tmpfs of every Linux"
    assert load({}, {}, Path("/dev/shm")).files == []
    assert load({}, {}, Path("/")).files == []


def test_a_workspace_that_is_not_there(house: House) -> None:
    assert house.load(workspace=house.work / "no").files == []


def test_a_symlinked_project(house: House) -> None:
    path = house.project("max_turns = 9")
    link = house.home.parent / "link"
    link.symlink_to(house.work)
    assert house.load(workspace=link).settings["max_turns"] == (9, f"{path}:1")


def test_a_file_that_is_also_the_users_is_the_users(house: House) -> None:
    path = house.user('system = "mine" permissions { allow = ["bash"] }')
    (house.work / ".a3s").symlink_to(house.home / ".a3s")
    config = house.load()
    assert (config.get("system"), config.notices) == ("mine", [])
    assert rules(config, "allow") == [("bash", f"{path}:1")]
    named = house.load(config_file=".a3s/config.acl")
    assert (named.get("system"), len(named.get("allow")), named.notices) == ("mine", 1, [])


def test_a_link_to_another_file_is_still_the_projects(house: House) -> None:
    other = house.write(house.home / "other.acl", 'system = "x" max_turns = 5')
    (house.work / ".a3s").mkdir()
    (house.work / ".a3s" / "config.acl").symlink_to(other)
    config = house.load()
    assert (config.get("system"), config.get("max_turns")) == (None, 5)
    assert refused(config) == ["system"]


@pytest.mark.parametrize("kind", ["fifo", "directory", "loop", "device"])
def test_a_project_file_that_is_no_file(house: House, kind: str) -> None:
    path = house.work / ".a3s" / "config.acl"
    path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "loop" else "/dev/zero")
    assert failure(house).startswith(f"{path}: expected a re")


def test_one_provider_from_several_layers(house: House) -> None:
    user = house.user(
        'providers "openai" { apiKey = "user" baseUrl = "http://user"\n'
        '  headers = { "X-A" = "1", "X-B" = "2" }\n'
        '  models "m" { limit = { context = 10, output = 5 } cost = { input = 1 } } }'
    )
    explicit = house.write(
        house.work / "c.acl",
        'providers "openai" { baseUrl = "http://explicit" headers { "x-b" = "3" } }\n'
        'providers "openai" { models "m" { maxTokens = 6 } models "n" { tool_call = false } }',
    )
    config = house.load(config_file="c.acl", OPENAI_API_KEY="environment")
    provider = config.providers["openai"]
    assert provider.settings == {
        "api_key": ("environment", "OPENAI_API_KEY"),
        "base_url": ("http://explicit", f"{explicit}:1"),
    }
    assert provider.headers == {"x-a": ("1", f"{user}:2"), "x-b": ("3", f"{explicit}:1")}
    assert provider.models["m"].settings == {
        "context_tokens": (10, f"{user}:3"),
        "max_tokens": (6, f"{explicit}:2"),
        "cost": ({"input": 1.0}, f"{user}:3"),
    }
    assert provider.models["n"].settings == {"tool_call": (False, f"{explicit}:2")}


def test_a_provider_of_the_environment_alone(house: House) -> None:
    config = house.load(HF_TOKEN="t", GROQ_BASE_URL="http://127.0.0.1:1", XAI_API_KEY="")
    assert {name: found.settings for name, found in config.providers.items()} == {
        "groq": {"base_url": ("http://127.0.0.1:1", "GROQ_BASE_URL")},
        "huggingface": {"api_key": ("t", "HF_TOKEN")},
    }


def test_variables_of_a_label_of_ones_own(house: House) -> None:
    house.user('providers "my-proxy" {}')
    config = house.load(MY_PROXY_API_KEY="k", MY_PROXY_BASE_URL="http://p")
    assert config.providers["my-proxy"].settings == {
        "api_key": ("k", "MY_PROXY_API_KEY"),
        "base_url": ("http://p", "MY_PROXY_BASE_URL"),
    }
