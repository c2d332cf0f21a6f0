"""A file of permissions: what it replaces, what it cannot, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from a3s_cli.config.layers import load
from a3s_cli.config.settings import Config
from a3s_cli.errors import ConfigError
from tests.support.house import House, rules

USER = """permissions {
  allow = ["bash"]  ask = ["edit"]  deny = ["bash(rm:*)"]  default_decision = "allow"
  on_ask = "fail"
}"""


def permitted(house: House, text: str | None, flags: dict[str, Any] | None = None) -> Config:
    permissions = None
    if text is not None:
        permissions = str(house.write(house.work / "p.acl", text))
    return load(flags or {}, house.environment, house.work, permissions=permissions)


def listed(config: Config) -> dict[str, list[str]]:
    return {name: [rule for rule, _ in rules(config, name)] for name in ("allow", "ask", "deny")}


@pytest.mark.parametrize(
    "text",
    [
        'permissions { allow = ["read"]  deny = "write" }',
        'allow = ["read"]\ndeny = "write"',
        'permissions { allow = ["read"] }\npermissions = { deny = "write" }',
    ],
)
def test_it_replaces_what_is_allowed_and_asked_and_never_what_is_denied(
    house: House, text: str
) -> None:
    house.user(USER)
    house.project('permissions { ask = ["grep"]  deny = ["glob"] }')
    config = permitted(house, text)
    assert listed(config) == {
        "allow": ["read"],
        "ask": ["grep"],
        "deny": ["bash(rm:*)", "glob", "write"],
    }
    # A default of allowing allows, so it is replaced as well.
    assert config.settings["default_decision"] == ("ask", "default")
    assert config.get("on_ask") == "fail"


def test_an_empty_one_allows_nothing(house: House) -> None:
    house.user(USER)
    assert listed(permitted(house, "")) == {"allow": [], "ask": [], "deny": ["bash(rm:*)"]}


def test_flags_add_to_it(house: House) -> None:
    house.user(USER)
    text = 'allow = ["read"]  default_decision = "deny"  on_ask = "deny"'
    config = permitted(house, text, {"default_decision": "ask", "allow": ["ls"]})
    assert listed(config)["allow"] == ["read", "ls"]
    assert (config.get("default_decision"), config.get("on_ask")) == ("ask", "deny")


def test_a_default_of_denying_stays(house: House) -> None:
    house.user('permissions { default_decision = "deny" }')
    assert permitted(house, 'allow = ["read"]').get("default_decision") == "deny"
    assert permitted(house, "default_decision = ask").get("default_decision") == "ask"


def test_a_trusted_projects_permissions_are_replaced_as_well(house: House) -> None:
    house.user(f'trust = "{house.work}"')
    house.project('permissions { allow = ["write"]  ask = ["ls"]  deny = ["edit"] }')
    assert listed(permitted(house, None))["allow"] == ["write"]
    assert listed(permitted(house, 'allow = "ls"')) == {
        "allow": ["ls"],
        "ask": [],
        "deny": ["edit"],
    }


def test_permissions_may_be_given_as_data(house: House) -> None:
    house.user(USER)
    given = {"allow": ["read"], "default_decision": "deny"}
    config = load({}, house.environment, house.work, permissions=given)
    assert listed(config) == {"allow": ["read"], "ask": [], "deny": ["bash(rm:*)"]}
    assert config.get("default_decision") == "deny"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'dney = ["bash"]',
            "1:1: expected one of deny, ask, allow, default_decision, reading, on_ask,"
            " approver_timeout, found another key",
        ),
        (
            'permissions {\n  allow = ["ls"]\n  max_turns = 3 }',
            "3:3: expected one of deny, ask, allow, default_decision, reading, on_ask,"
            " approver_timeout, found another key",
        ),
        (
            'allow = ["bahs(ls)"]',
            "1:10: the rule 'bahs(ls)' is for an unknown tool; did you mean bash?",
        ),
        ("allow = [", "1:10: expected ']' for the '[' of 1:9, found the end of the file"),
        ("allow = 3", "1:9: expected a list of strings for allow, found a number"),
        (
            'on_ask = "promt"',
            '1:10: expected one of "prompt", "deny", "fail", "exec:COMMAND" for on_ask, '
            "found another string",
        ),
    ],
)
def test_whatever_is_wrong_with_it_is_an_error(house: House, text: str, message: str) -> None:
    """An unknown key may be a denial, so it does not fail open."""
    with pytest.raises(ConfigError) as caught:
        permitted(house, text)
    assert str(caught.value) == f"{house.work}/p.acl:{message}"


def test_one_that_is_not_there_is_an_error(house: House) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, house.environment, house.work, permissions="no.acl")
    assert str(caught.value) == "--permissions: expected a readable file, found none at no.acl"
