"""The private cache of a workspace's commands."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from a3s_cli.guard import contents
from a3s_cli.sandbox import caches

from .cage import USERS, Cage


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_each_workspace_has_its_own(cage: Cage) -> None:
    cage.file(".npm/x", "mine\n", below=cage.home)
    cage.file(".cache/pip/x", "mine\n", below=cage.home)
    other = cage.directory("other", below=cage.root)
    write = "mkdir -p $npm_config_cache && echo x > $npm_config_cache/x; echo $npm_config_cache"
    write += "; for v in XDG_CACHE_HOME PIP_CACHE_DIR GOCACHE; do mkdir -p ${!v}; done"
    write += "; echo x > $PIP_CACHE_DIR/x; echo x > ~/.npm/x; echo x > ~/.cache/pip/x"
    outcome = cage.bash(f"{write}; true", then=[["bash", "-c", "cat $npm_config_cache/x"]])
    first, *_ = outcome.output.splitlines()
    assert outcome.output.endswith("x\n")
    assert [(cage.home / name).read_text() for name in (".npm/x", ".cache/pip/x")] == ["mine\n"] * 2
    second = cage.bash(f"{write}; cat {first}/x", workspace=other).output.splitlines()[0]
    assert Path(first).parent != Path(second).parent and Path(second, "x").exists()
    place = Path(first).parent
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert place.is_relative_to(cage.root / "cache/a3s/commands")
    # The same one in the next run, and toolchains stay where they are.
    script = f"cat {first}/x; echo $CARGO_HOME $RUSTUP_HOME"
    own = {"CARGO_HOME": "/c", "RUSTUP_HOME": "/r"}
    assert cage.bash(script, environment=own).output == "x\n/c /r\n"


def test_the_oldest_files_go(tmp_path: Path) -> None:
    assert caches.MOST_BYTES == 2 * 1024**3
    for number in range(10):
        path = tmp_path / f"d{number % 2}" / str(number)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(65536))
        os.utime(path, (number, number))
    (tmp_path / "d0" / "link").symlink_to("/etc/passwd")
    caches.prune(str(tmp_path), 300_000)
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in left if name != "link"] == ["6", "7", "8", "9"]
    assert Path("/etc/passwd").exists()


def test_a_link_in_place_of_a_directory_leads_nowhere(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "0").write_bytes(bytes(65536))
    cache = tmp_path / "cache"
    (cache / "d").mkdir(parents=True)
    (cache / "d" / "0").write_bytes(bytes(65536))
    (cache / "d").rename(cache / "e")
    (cache / "d").symlink_to(mine)
    contents.remove(str(cache), str(cache / "d" / "0"))
    assert (mine / "0").exists()
