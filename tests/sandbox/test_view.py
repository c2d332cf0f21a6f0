"""What is seen where the workspace, the home and what is hidden lie in each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cage import USERS, Cage

pytestmark = pytest.mark.parametrize("driver", USERS[-1:], indirect=True)


@pytest.fixture
def temporary(cage: Cage) -> Iterator[Cage]:
    """The same cage, but in /tmp, which is private inside."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        other = Cage(cage.driver, Path(directory))
        cage.mark = other.mark
        yield other


def test_everything_below_a_directory_that_is_hidden(temporary: Cage) -> None:
    cage = temporary
    cage.file("note", "seen\n", below=cage.home)
    cage.file(".ssh/id", "secret\n", below=cage.home)
    cage.file("note", "secret\n", below=cage.outside)
    tool = cage.file("bin/tool", "#!/bin/sh\necho tool\n", below=cage.root)
    tool.chmod(0o755)
    scratch = cage.directory("scratch")
    outcome = cage.bash(
        "cat ~/note ~/.ssh/id ../outside/note; tool; echo x > ~/new; echo x > new; mktemp; pwd",
        environment={"PATH": f"{tool.parent}:/usr/bin:/bin", "TMPDIR": str(scratch)},
    )
    lines = outcome.output.splitlines()
    assert "seen" in lines and "tool" in lines and str(cage.work) in lines
    assert "secret" not in outcome.output
    assert any(line.startswith(f"{scratch}/tmp.") for line in lines)
    assert cage.tree() == {"new": "x\n"}
    assert cage.tree(cage.home) == {"note": "seen\n", ".ssh": None, ".ssh/id": "secret\n"}
    assert cage.tree(scratch) == {}


def test_what_lies_above_the_workspace_cannot_be_exchanged(temporary: Cage) -> None:
    """Else the next command's mounts would follow a link to where the old root still is."""
    cage = temporary
    top = Path("/tmp") / cage.root.relative_to("/tmp").parts[0]
    target = cage.directory("target", below=cage.outside)
    attack = f"mv {top} /tmp/x; rm -rf {top}; ln -s /oldroot{target} {top}; ls -ld {top}"
    then = [["bash", "-c", f"{attack}; echo x > new; pwd"]] * 2
    outcome = cage.bash(f"{attack}; true", then=then)
    assert outcome.status == 0 and outcome.output.endswith(f"{cage.work}\n")
    assert cage.tree() == {"new": "x\n"}
    assert cage.tree(cage.outside) == {"target": None}


def test_a_workspace_in_a_directory_of_keys(cage: Cage) -> None:
    work = cage.directory(".aws/project", below=cage.home)
    cage.file("credentials", "secret\n", below=cage.home / ".aws")
    cage.file(".aws/cli", "secret\n", below=cage.home)
    outcome = cage.bash("cat ../credentials ../cli; echo x > new; ls -A ..", workspace=work)
    assert outcome.status == 0 and "secret" not in outcome.output
    assert outcome.output.splitlines()[-1] == "project"
    assert (work / "new").read_text() == "x\n"


def test_a_workspace_that_is_a_directory_of_keys(cage: Cage) -> None:
    work = cage.directory(".kube", below=cage.home)
    cage.file("config", "asked for\n", below=work)
    assert cage.bash("cat config", workspace=work).output == "asked for\n"


def test_a_home_in_the_workspace(cage: Cage) -> None:
    home = cage.directory("users/me", below=cage.work)
    cage.file(".netrc", "secret\n", below=home)
    cage.file("note", "seen\n", below=home)
    own = {"HOME": str(home)}
    before = cage.tree()
    rename = "import os, sys; os.rename(sys.argv[1], 'x')"
    script = (
        f'cat ~/note ~/.netrc; for d in ~ users; do python3 -c "{rename}" $d; done;'
        "echo x > ~/.netrc; mkdir ~/.ssh"
    )
    outcome = cage.bash(f"{script}; true", environ=own, environment=own)
    assert outcome.output.startswith("seen\n") and "secret" not in outcome.output
    assert cage.tree() == before


def test_keys_behind_a_link(cage: Cage) -> None:
    cage.file("id", "secret\n", below=cage.outside)
    (cage.home / ".ssh").symlink_to(cage.outside)
    outcome = cage.bash(f"cat ~/.ssh/id {cage.outside}/id")
    assert "secret" not in outcome.output


def test_what_a3s_keeps(cage: Cage) -> None:
    names = {"XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "s", "XDG_DATA_HOME": "d"}
    environ = {name: str(cage.root / place) for name, place in names.items()}
    for place in (*names.values(), "home/.config", "home/.cache", "cache"):
        cage.file(f"{place}/a3s/file", "secret\n", below=cage.root)
    cage.file(".a3s/config.acl", "secret\n", below=cage.home)
    outcome = cage.bash(f"grep -rs secret {cage.root}; true", environ=environ)
    assert outcome.output == ""


def test_other_homes(cage: Cage) -> None:
    outcome = cage.bash("ls -A /home; ls -A /root; true")
    visible = {
        name for name in outcome.output.split() if name in {p.name for p in Path("/home").iterdir()}
    }
    assert visible == set()


def test_a_workspace_with_unusual_names(cage: Cage) -> None:
    work = cage.directory("a b\n'é\"$(x) -- --bind", below=cage.work)
    outcome = cage.bash("pwd; echo x > new; echo x > .envrc", workspace=work)
    assert outcome.output.startswith(str(work).encode().decode("latin-1"))
    assert cage.tree(work) == {"new": "x\n"}


def test_the_whole_disk_as_the_workspace(cage: Cage) -> None:
    """Not advisable; but what is hidden stays hidden, and nothing is left behind."""
    cage.file(".ssh/id", "secret\n", below=cage.home)
    before = set(Path("/").iterdir())
    script = f"cat ~/.ssh/id; echo x > {cage.work}/new; echo x > /proc/sys/kernel/core_pattern; pwd"
    outcome = cage.bash(script, workspace=Path("/"))
    assert outcome.output.endswith("/\n") and "secret" not in outcome.output
    assert cage.tree() == {"new": "x\n"}
    assert set(Path("/").iterdir()) == before
