"""Credentials where a variable has moved them, and a home as the workspace, for every tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import a_call, calls, text
from .cage import USERS, Cage

#: A variable, what it is set to below the home, and where the secret lies then.
MOVED = [
    ("XDG_CONFIG_HOME", "conf", "conf/gh/hosts.yml"),
    ("XDG_CONFIG_HOME", "conf", "conf/gcloud/credentials.db"),
    ("XDG_CONFIG_HOME", "conf", "conf/git/credentials"),
    ("XDG_DATA_HOME", "data", "data/keyrings/login.keyring"),
    ("XDG_STATE_HOME", "st", "st/bash/history"),
    ("KUBECONFIG", "k1:k2/config", "k2/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "aws-keys", "aws-keys"),
    ("AWS_CONFIG_FILE", "aws-conf", "aws-conf"),
    ("CARGO_HOME", "rust", "rust/credentials.toml"),
    ("GRADLE_USER_HOME", "gr", "gr/gradle.properties"),
    ("GH_CONFIG_DIR", "ghc", "ghc/hosts.yml"),
    ("DOCKER_CONFIG", "dk", "dk/config.json"),
    ("GNUPGHOME", "gpg", "gpg/private-keys-v1.d/k"),
    ("NPM_CONFIG_USERCONFIG", "npmrc", "npmrc"),
    ("PIP_CONFIG_FILE", "pipconf", "pipconf"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "g.json", "g.json"),
    ("CODEX_HOME", "cx", "cx/auth.json"),
    ("HISTFILE", "hist", "hist"),
    ("HF_HOME", "hf", "hf/token"),
    ("PYTHON_HISTORY", "pyhist", "pyhist"),
]
#: Where they usually lie.
USUAL = (
    *(".m2/settings.xml", ".gradle/gradle.properties", ".config/hub", ".authinfo", ".netrc"),
    *(".config/github-copilot/hosts.json", ".config/pypoetry/auth.toml", ".subversion/auth/x"),
    *("snap/firefox/common/x", ".var/app/com.google.Chrome/x", ".codex/auth.json", ".ssh/id_rsa"),
    *(".local/share/fish/fish_history", ".zsh_history", ".bash_history", ".sh_history"),
    *(".cargo/credentials.toml", ".gemini/oauth_creds.json", ".qwen/oauth_creds.json"),
    *(".claude/.credentials.json", ".aws/credentials", ".kube/config", ".docker/config.json"),
)


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_credentials_that_a_variable_has_moved(cage: Cage) -> None:
    environ = {}
    for variable, value, place in MOVED:
        parts = [str(cage.home / part) for part in value.split(":")]
        environ[variable] = ":".join(parts)
        cage.file(place, "SECRET\n", below=cage.home)
    for place in USUAL:
        cage.file(place, "SECRET\n", below=cage.home)
    cage.file("note", "seen\n", below=cage.home)
    places = " ".join(f"~/{place}" for place in (*USUAL, *(one[2] for one in MOVED)))
    outcome = cage.bash(f"cat ~/note; grep -rs SECRET ~; cat {places} 2>/dev/null; true",
                        environ=environ)  # fmt: skip
    assert outcome.output == "seen\n"


START = (
    *(".bashrc", ".profile", ".zshrc", ".config/fish/config.fish", ".cshrc", ".tcshrc", ".kshrc"),
    *(".config/autostart/x.desktop", ".config/systemd/user/x.service", ".gitconfig"),
    *(".config/git/config", ".vimrc", ".config/environment.d/x.conf", ".xprofile"),
    *(".local/lib/python3.11/site-packages/x.pth", ".local/lib/python3.99/site-packages/y.pth"),
    *(".local/lib/python3.99/site-packages/usercustomize.py", ".config/fish/conf.d/x.fish"),
    *(".local/bin/ls", "bin/ls", "tools/bin/ls", "late/bin/sub/ls", ".config/nvim/init.lua"),
    *(".mise.toml", ".gemini/settings.json", "opencode.json", ".agents/x", ".claude/settings.json"),
)


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
@pytest.mark.parametrize("there", [False, True])
def test_start_files_of_a_home_that_is_the_workspace(cage: Cage, there: bool) -> None:
    programs = f"{cage.work}/tools/bin:{cage.environ['PATH']}:{cage.work}/late/bin/:.:{cage.work}"
    own = {"HOME": str(cage.work), "PATH": programs}
    (cage.work / ".local/lib/python3.11/site-packages").mkdir(parents=True)
    for path in (cage.work, *cage.work.rglob("*")):
        cage.own(path)
    for name in START if there else ():
        cage.file(name, "mine\n")
    before = {k: v for k, v in cage.tree().items() if v is not None}
    script = "".join(
        f"mkdir -p {Path(name).parent}; echo evil > {name}; rm -f {name};"
        f" echo evil > {name}; mv {name} x; rm -f x; echo evil >> {name};"
        for name in START
    )
    outcome = cage.bash(f"({script}) 2>/dev/null; echo fine > fine", environ=own, environment=own)
    after = {k: v for k, v in cage.tree().items() if v is not None}
    assert after == before | {"fine": "fine\n"}, outcome


def test_a_home_as_the_workspace_for_the_file_tools(a3s: Bench) -> None:
    places = [".aws/credentials", ".config/gh/hosts.yml", ".zsh_history", ".codex/auth.json"]
    for place in (*places, "note.txt", ".config/other/note.txt"):
        path = a3s.work / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("SECRET\n" if place in places else "seen\n")
    everything = [
        a_call("grep", {"pattern": "SECRET|seen"}, "g1"),
        a_call("grep", {"pattern": "SECRET", "path": ".aws"}, "g2"),
        a_call("grep", {"pattern": "SECRET", "glob": "**/credentials"}, "g3"),
        a_call("glob", {"pattern": "**/*"}, "l1"),
        a_call("glob", {"pattern": ".aws/*"}, "l2"),
        a_call("ls", {"path": ".aws"}, "s1"),
        a_call("ls", {"path": "."}, "s2"),
        *(a_call("read", {"file_path": place}, f"r{n}") for n, place in enumerate(places)),
        a_call("write", {"file_path": places[0], "content": "x"}, "w"),
        a_call("bash", {"command": f"cat {' '.join(places)}; cat note.txt"}, "b"),
    ]
    flags = ("--allow", "bash", "--allow", "read", "--allow", "write", "--sandbox", "require")
    env = {"HOME": str(a3s.work), "XDG_CONFIG_HOME": None}
    result = a3s("run", "go", *flags, script=[calls(*everything), text("done")], env=env)
    assert [e for e in result.events if e["type"] == "notice" and "home" in e["text"]]
    shown = "".join(e["toolOutput"] for e in result.events if e["type"] == "tool_end")
    assert "SECRET" not in shown
    assert "seen" in shown
    listed = "".join(
        e["toolOutput"] for e in result.events if e["type"] == "tool_end" and e["toolId"] != "b"
    )
    assert "hosts.yml" not in listed and "credentials" not in listed
    assert {path: Path(a3s.work / path).read_text() for path in places} == dict.fromkeys(
        places, "SECRET\n"
    )


def test_start_files_of_a_home_for_the_file_tools(a3s: Bench) -> None:
    """Programs of its search path, too, whether they are there or not."""
    places = [".local/bin/ls", "tools/ls", ".config/fish/config.fish", ".vimrc", ".config/note"]
    (a3s.work / "tools").mkdir()
    (a3s.work / "tools/ls").write_text("mine")
    writes = [a_call("write", {"file_path": one, "content": "new"}, one) for one in places]
    env = {"HOME": str(a3s.work), "PATH": f"{a3s.work}/tools:{os.environ['PATH']}"}
    script = [calls(*writes), text("done")]
    result = a3s("run", "go", "--allow", "write", "--allow", "read", script=script, env=env)
    denied = [e["toolId"] for e in result.events if e["type"] == "permission_denied"]
    assert denied == places[:-1]
    assert (a3s.work / ".config/note").read_text() == "new"
    assert (a3s.work / "tools/ls").read_text() == "mine"
