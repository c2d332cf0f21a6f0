"""`.gitignore`, held against git itself."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251  # git is the judge
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.files.ignore import Rules, is_secret
from a3s_cli.files.walk import WorkspaceTree
from a3s_cli.files.wildcards import Wildcard
from a3s_cli.files.workspace import Workspace
from tests.support.a3s import proofs

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git")

NAMES = ("a", "b", "ab", "a.b", "foo", "é", "[x]", "a b", ".h", "A")
PIECES = (
    *("a", "b", "*", "?", "/", "!", "\\", "[ab]", "[!a]", "[^b]", ".", "foo", "é", " ", "#", "A"),
    *(
        "[a-",
        "[[:alpha:]]",
        "[z-a]",
        "[]a]",
        "[a/b]",
        "a*b",
        "/**/",
        "\\ ",
        "\\*",
        "\\/",
        "\r",
        "\t",
    ),
)
#: `**` is put between slashes only: after a literal, git's answer is an accident of its speed-ups.
LINES = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.lists(st.sampled_from((*NAMES, "*", "**", "a*", "?")), min_size=1, max_size=4).map("/".join),
).filter(lambda line: all(part in ("", "**") or "**" not in part for part in line.split("/")))
DIRECTORIES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)


def found_by_us(root: Path) -> set[str]:
    walk = WorkspaceTree(Workspace(root)).walk(root.resolve(), Wildcard("**"))
    return {str(entry.path.relative_to(root)) for entry in walk if entry.kind == "file"}


def found_by_git(root: Path) -> set[str]:
    command = ["git", "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    command.append("--exclude-from=.git/info/exclude")
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    return set(listed.decode().split("\0")) - {""}


@needs_git
@settings(max_examples=proofs(80), deadline=None)
@given(
    st.lists(DIRECTORIES, max_size=5),
    st.lists(st.tuples(st.integers(0, 9), st.lists(LINES, max_size=4)), max_size=3),
    st.lists(LINES, max_size=1),
)
def test_the_same_files_as_git(
    tmp_path_factory: pytest.TempPathFactory,
    directories: list[str],
    ignores: list[tuple[int, list[str]]],
    exclude: list[str],
) -> None:
    root = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", root], check=True)
    places = [root]
    for name in directories:
        (root / name).mkdir(parents=True, exist_ok=True)
        places.append(root / name)
    for place in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        if ".git" not in place.parts:
            for name in NAMES:
                if not (place / name).exists():
                    (place / name).touch()
    for number, lines in ignores:
        (places[number % len(places)] / ".gitignore").write_bytes("\n".join(lines).encode())
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/exclude").write_bytes("\n".join(exclude).encode())
    assert found_by_us(root) == found_by_git(root)
    tree = WorkspaceTree(Workspace(root))
    everything = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
    kept = {path for path in everything if not tree.ignores(path, root)}
    assert {str(path.relative_to(root)) for path in kept} == found_by_git(root)


@pytest.mark.parametrize(
    ("rules", "name", "directory", "ignored"),
    [
        (b"*.log", "a.log", False, True),
        (b"*.log\n!a.log", "a.log", False, False),
        (b"!a.log\n*.log", "a.log", False, True),
        (b"build/", "build", True, True),
        (b"build/", "build", False, False),
        (b"a ", "a", False, True),
        (b"a\\ ", "a ", False, True),
        (b"a\r\n", "a", False, True),
        (b"\xef\xbb\xbfa", "a", False, True),
        (b"#a", "#a", False, False),
        (b"\\#a", "#a", False, True),
        (b"\\!a", "!a", False, True),
        (b"a\\", "a\\", False, False),
        (b"sub/a", "a", False, False),
        (b"caf\xe9", b"caf\xe9".decode(errors="surrogateescape"), False, True),
        (b"***", "a", False, True),
    ],
)
def test_lines(rules: bytes, name: str, directory: bool, ignored: bool) -> None:
    assert Rules().extend(rules).ignores(name, directory=directory) is ignored


def test_deeper_rules_win_and_anchors_hold() -> None:
    top = Rules().extend(b"*.x\n/sub/only\n/a/**/z\nsub/**\n")
    assert top.ignores("sub", directory=True) is False
    below = top.enter("sub").extend(b"!b.x\n")
    assert below.ignores("a.x", directory=False) is True
    assert below.ignores("b.x", directory=False) is False
    assert below.ignores("only", directory=False) is True
    assert top.enter("a").enter("m").enter("n").ignores("z", directory=False) is True
    assert top.enter("b").enter("m").ignores("z", directory=False) is False


@needs_git
def test_nested_repositories_and_named_directories(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in ("inner/.git", "skip/deep", "inner/sub"):
        (root / name).mkdir(parents=True)
    for name in ("inner/a.log", "inner/sub/b.log", "skip/deep/c", "skip/d.log", "e.log", "f"):
        (root / name).touch()
    (root / ".gitignore").write_text("*.log\nskip\n")
    assert found_by_us(root) == {".gitignore", "f", "inner/a.log", "inner/sub/b.log"}
    tree = WorkspaceTree(Workspace(root))
    named = tree.walk(root / "skip", Wildcard("**"))
    assert [entry.path.name for entry in named if entry.kind == "file"] == ["d.log", "c"]
    assert tree.ignores(root / "skip/deep/c", root) is True
    assert tree.ignores(root / "skip/deep/c", root / "skip") is False


def test_a_linked_ignore_file_is_not_read(tmp_path: Path) -> None:
    root = tmp_path.resolve() / "w"
    root.mkdir()
    (tmp_path / "rules").write_text("*\n")
    (root / ".gitignore").symlink_to(tmp_path / "rules")
    (root / "a").touch()
    assert found_by_us(root) == {"a"}


def test_a_hostile_rule_does_not_hang() -> None:
    rules = Rules().extend(b"*a" * 100 + b"b\n" + b"**/a/" * 60 + b"b\n" + b" " * 100_000 + b"x")
    for _ in range(60):
        rules = rules.enter("a")
    assert rules.ignores("a" * 250, directory=False) is False


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (".env", True),
        (".env.production", True),
        ("a/.envrc", True),
        ("env.py", False),
        (".git/config", True),
        ("sub/.git/config", True),
        ("config", False),
        (".npmrc", True),
        (".netrc", True),
        ("certs/ca.pem", True),
        (".ssh/id_ed25519", True),
        ("id_rsa.pub", True),
        ("id_deploy", True),
        ("id_map.py", False),
        ("ids", False),
        ("", False),
    ],
)
def test_secrets(path: str, secret: bool) -> None:
    assert is_secret(Path(path).parts) is secret


def test_rules_outside_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own rules and `info/exclude` hold in a tree, a linked one and a submodule."""
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (home / ".config/git/ignore").write_text("*.usual\n")

    def git(directory: Path, *arguments: str) -> str:
        person = ("-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", "-C", directory, *person, *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q", "-b", "main")
    git(main, "commit", "-q", "--allow-empty", "-m", "m")
    git(main, "worktree", "add", "-q", "../linked")
    git(main, "submodule", "--quiet", "add", str(main), "mod")
    (main / ".git/info/exclude").write_text("*.main\n")
    (main / ".git/modules/mod/info/exclude").write_text("*.mod\n")
    trees = [main, tmp_path / "linked", main / "mod"]
    for tree in trees:
        (tree / "deep").mkdir()
        for name in ("a.usual", "a.main", "a.mod", "a.own", "a.seen"):
            (tree / name).touch()
            (tree / "deep" / name).touch()
    for named in ("", "*.own\n"):
        if named:
            (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
            (home / "mine").write_text(named)
        for tree in trees:
            told = git(tree, "ls-files", "-z", "-o", "--exclude-standard").split("\0")
            workspace = Workspace(tree)
            found = [
                str(entry.path.relative_to(tree))
                for entry in WorkspaceTree(workspace).walk(tree, Wildcard("**"))
                if entry.kind == "file" and entry.path.parts[-2] in (tree.name, "deep")
            ]
            mine = [name for name in found if name.rpartition("/")[2].startswith("a.")]
            assert sorted(one for one in mine if not one.startswith("mod/")) == sorted(
                name for name in told if name.startswith(("a.", "deep/"))
            )
