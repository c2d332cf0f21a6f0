"""The wheel and the sdist: what is in them, that they are the same every time, and what they give.

Both are built twice, of copies that differ in everything but their contents: the
order of files, their times, the umask.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251 - builds and installs, as a person does
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.cli import group
from a3s_cli.manual.completions import files as completions
from a3s_cli.manual.pages import pages
from a3s_cli.manual.tree import read
from a3s_cli.version import __version__

CHECKOUT = Path(__file__).parents[2]
WHEEL = f"a3s_cli-{__version__}-py3-none-any.whl"
SDIST = f"a3s_cli-{__version__}.tar.gz"
#: What a package is made of; copied, because the checkout may be changing meanwhile.
SOURCES = (
    "a3s_cli", "man", "completions", "tests", "pyproject.toml", ".gitignore",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
)  # fmt: skip
SHARE = {
    "share/bash-completion/completions": ("bash/a3s", "bash/a3s-cli"),
    "share/zsh/site-functions": ("zsh/_a3s",),
    "share/fish/vendor_completions.d": ("fish/a3s.fish", "fish/a3s-cli.fish"),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two directories, each with a wheel and an sdist."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    copy(CHECKOUT, first, sorted(SOURCES))
    copy(first, second, sorted(SOURCES, reverse=True))
    for path in second.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    for directory, umask in ((first, 0o022), (second, 0o077)):
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(directory / "dist")]
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
        subprocess.run(
            command, cwd=directory, env=environment, umask=umask, check=True, capture_output=True
        )
    return first / "dist", second / "dist"


def copy(source: Path, target: Path, names: list[str]) -> None:
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=left_out)
        else:
            shutil.copyfile(source / name, target / name)


def files_in(root: Path, *names: str) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for name in names
        for path in (root / name).rglob("*")
        if path.is_file()
    }


def test_two_builds_are_equal(built: tuple[Path, Path]) -> None:
    for name in (WHEEL, SDIST):
        first, second = ((directory / name).read_bytes() for directory in built)
        assert first == second, name


def test_the_wheel_holds_what_is_used_and_nothing_else(built: tuple[Path, Path]) -> None:
    root = read(group)
    data = f"a3s_cli-{__version__}.data/data"
    with zipfile.ZipFile(built[0] / WHEEL) as wheel:
        names = set(wheel.namelist())
        contents = {name: wheel.read(name) for name in names if name.startswith(data)}
        entry_points = wheel.read(f"a3s_cli-{__version__}.dist-info/entry_points.txt").decode()
    source = built[0].parent
    package = files_in(source, "a3s_cli")
    assert {name for name in names if name.startswith("a3s_cli/")} == package
    assert "a3s_cli/py.typed" in package
    pages_there = {
        f"{data}/share/man/{page.file}": (source / "man" / page.file).read_bytes()
        for page in pages(root)
    }
    scripts = {
        f"{data}/{place}/{Path(name).name}": completions(root)[name].encode()
        for place, wanted in SHARE.items()
        for name in wanted
    }
    assert contents == pages_there | scripts
    assert {name.split("/")[0] for name in names} == {
        "a3s_cli", f"a3s_cli-{__version__}.data", f"a3s_cli-{__version__}.dist-info",
    }  # fmt: skip
    assert entry_points.split() == [
        "[console_scripts]",
        "a3s", "=", "a3s_cli.__main__:main",
        "a3s-cli", "=", "a3s_cli.__main__:main",
    ]  # fmt: skip


def test_the_sdist_holds_what_the_wheel_is_made_of(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0] / SDIST) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = files_in(built[0].parent, "a3s_cli", "man", "completions")
    assert names >= wanted | {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"}
    assert [name for name in names if "__pycache__" in name or name.startswith(".git/")] == []


# -- installed ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def venv(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh environment with the wheel; the dependencies are those of this one."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "-q", "--python", str(venv / "bin/python"), "install"]
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*pip, *options, str(built[0] / WHEEL)], check=True)
    yield venv


def installed(venv: Path, *command: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        "PATH": f"{venv}/bin:/usr/bin:/bin",
        # Not a site directory: what is installed in an editable way is not found there.
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C",
        **more,
    }
    return subprocess.run(
        command,
        env=environment,
        cwd="/",
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("name", ["a3s", "a3s-cli"])
def test_the_command_has_two_names(venv: Path, name: str) -> None:
    result = installed(venv, name, "--version")
    assert (result.returncode, result.stdout) == (0, f"a3s {__version__}\n".encode())
    where = "import a3s_cli; print(a3s_cli.__file__)"
    assert installed(venv, "python", "-c", where).stdout.startswith(f"{venv}/".encode())


def test_man_finds_the_pages_of_an_environment(venv: Path) -> None:
    if not shutil.which("man"):
        pytest.skip("no man")
    for words, title in ((["a3s"], b"A3S(1)"), (["7", "a3s-policy"], b"A3S-POLICY(7)")):
        shown = installed(venv, "man", *words)
        assert (shown.returncode, shown.stderr) == (0, b"")
        assert shown.stdout.startswith(title)


def test_what_is_installed_is_what_a3s_prints(venv: Path) -> None:
    """The templates are in the wheel: `a3s man` and `a3s completion` need nothing beside it."""
    script = (venv / "share/zsh/site-functions/_a3s").read_bytes()
    assert installed(venv, "a3s", "completion", "zsh").stdout == script
    assert installed(venv, "a3s", "man", "run").stdout.startswith(b"NAME\n       a3s-run - ")


@pytest.mark.parametrize(
    ("shell", "script", "shown"),
    [
        ("bash", ". $SHARE/bash-completion/completions/a3s-cli; complete -p a3s-cli", "_a3s_main"),
        (
            "zsh",
            "fpath=($SHARE/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D;"
            " print $_comps[a3s] $_comps[a3s-cli]",
            "_a3s _a3s",
        ),
        ("fish", 'complete -C "a3s-cli audi"', "audit\tCheck recorded"),
    ],
)
def test_shells_find_their_scripts(venv: Path, shell: str, script: str, shown: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    share = {"SHARE": f"{venv}/share", "XDG_DATA_DIRS": f"{venv}/share", "HOME": str(venv)}
    result = installed(venv, shell, "-c", script, **share)
    assert (result.returncode, result.stderr) == (0, b"")
    assert shown in result.stdout.decode()
