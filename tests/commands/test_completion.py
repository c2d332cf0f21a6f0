"""`a3s completion --install`: the script, where the shell of this user looks for it."""

from __future__ import annotations

import pytest

from ..support.a3s import Bench

PLACES = {
    "bash": ".local/share/bash-completion/completions/a3s",
    "zsh": ".local/share/zsh/site-functions/_a3s",
    "fish": ".config/fish/completions/a3s.fish",
}


@pytest.mark.parametrize("shell", PLACES)
def test_it_is_written_for_the_users_shell(a3s: Bench, shell: str) -> None:
    result = a3s("completion", "--install", env={"SHELL": f"/usr/bin/{shell}"})
    place = a3s.home / PLACES[shell]
    assert result.stdout.decode().startswith(f"{place}\n")
    assert place.read_bytes() == a3s("completion", shell).stdout


def test_which_shell(a3s: Bench) -> None:
    for env in ({"SHELL": "/bin/ksh"}, {"SHELL": None}):
        result = a3s("completion", "--install", env=env)
        assert (result.status, result.stdout) == (2, b"")
    assert a3s("completion").status == 2
