"""`a3s trust`: one more entry in a file that the user maintains."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.commands.trust import trust
from a3s_cli.config.file import ConfigFile
from a3s_cli.config.trusted import entry_of, project_sha256, written
from a3s_cli.errors import A3SError, ConfigError, UsageError
from tests.support.a3s import Bench
from tests.support.house import House, refused


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def trusted(path: Path) -> list[str]:
    file = ConfigFile(str(path), {}, "own")
    file.read(path.read_bytes().decode("utf-8-sig"))
    return [entry.value for entry in file.lists["trust"]]


def entry(directory: Path) -> str:
    return written(str(directory), project_sha256(str(directory)))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_command(a3s: Bench) -> None:
    config = a3s.work / ".a3s" / "config.acl"
    config.parent.mkdir()
    config.write_text("max_turns = 1000")
    below = a3s.work / "below"
    below.mkdir()
    mine = a3s.home / ".config" / "a3s" / "config.acl"
    result = a3s("trust", cwd=below)
    assert (result.status, result.stderr) == (0, b"")
    assert result.stdout.decode() == f"{a3s.work} is now trusted, in {mine}\n"
    assert mine.read_text() == f'trust = ["{entry(a3s.work)}"]\n'
    assert [mode(path) for path in (mine, mine.parent, mine.parent.parent)] == [0o600, 0o700, 0o700]
    again = a3s("trust", str(a3s.work), cwd=below)
    assert again.stdout.decode() == f"{a3s.work} is already trusted, in {mine}\n"
    assert mine.read_text() == f'trust = ["{entry(a3s.work)}"]\n'
    assert b"max_turns = 1000" in a3s("config").stdout


def test_what_can_not_be_trusted(a3s: Bench) -> None:
    (a3s.work / "file").write_text("")
    (a3s.work / "shared").mkdir(mode=0o777)
    (a3s.work / "shared").chmod(0o1777)
    for name, reason in {
        "missing": "missing: No such file or directory",
        "file": "file: expected a directory, found a file",
        "shared": "it is world-writable",
    }.items():
        result = a3s("trust", name)
        assert (result.status, result.stdout) == (2, b"")
        assert reason in result.stderr.decode()
    assert not (a3s.home / ".config").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (".mcp.json", "{", ".mcp.json:1:2: expected JSON"),
        (".mcp.json", "[]", '.mcp.json: expected {"mcpServers"'),
        (".mcp.json", '{"mcpServers":{"x":{"url":5}}}', "mcpServers.x: expected a URL"),
        (".mcp.json", "[" * 10_000, "it is nested deeper than"),
        (".a3s/config.acl", "max_turns =", "config.acl:1:"),
        (".a3s/config.acl", "max_turns = 0", "config.acl:1:13: expected a whole number"),
    ],
)
def test_what_cannot_be_read_is_not_trusted(a3s: Bench, name: str, content: str, said: str) -> None:
    """A run would stop at it, and it could mean anything once it is mended."""
    path = a3s.work / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    result = a3s("trust", laws="none")
    assert (result.status, result.stdout) == (78, b"")
    assert f"{a3s.work} cannot be trusted, because a run could not read it: " in (
        result.stderr.decode()
    )
    assert said in result.stderr.decode()
    assert not (a3s.home / ".config/a3s/config.acl").exists()


def test_without_a_home_there_is_nowhere_to_write(house: House) -> None:
    with pytest.raises(ConfigError, match="HOME is not set"):
        trust(str(house.work), {})


def test_the_directory_is_the_real_one(house: House) -> None:
    link = house.home / "link"
    link.symlink_to(house.work)
    path = house.user("")
    trust(str(link), house.environment)
    assert trusted(path) == [entry(house.work)]


@pytest.mark.skipif(sys.platform != "linux", reason="names of other systems are Unicode")
def test_a_name_that_no_file_can_hold(house: House) -> None:
    directory = house.work / os.fsdecode(b"\xff")
    directory.mkdir()
    with pytest.raises(UsageError, match="its name is not UTF-8"):
        trust(str(directory), house.environment)


HAND_WRITTEN = """# mine: do not touch
default_model = "openai/gpt-x"   // the cheap one
{}
providers "openai" {{ apiKey = env("KEY") }}   # no newline at the end"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('trust = ["/a"]', 'trust = ["{0}", "/a"]'),
        ("trust = []", 'trust = ["{0}"]'),
        ('trust: [ "/a" ] # mine', 'trust: ["{0}",  "/a" ] # mine'),
        (
            'trust = [  # these\n    "/a",  # one\n]',
            'trust = [  # these\n    "{0}",\n    "/a",  # one\n]',
        ),
        ("trust = [\r\n\t'/a']", "trust = [\r\n\t\"{0}\",\r\n\t'/a']"),
        ('trust = ["/a"]\ntrust = ["/b"]', 'trust = ["/a"]\ntrust = ["{0}", "/b"]'),
    ],
)
def test_every_other_byte_stays(house: House, before: str, after: str) -> None:
    path = house.user("")
    path.write_bytes(HAND_WRITTEN.format(before).encode())
    earlier = trusted(path)
    trust(str(house.work), house.environment)
    expected = HAND_WRITTEN.format(after.format(entry(house.work)))
    assert path.read_bytes().decode() == expected
    assert sorted(trusted(path)) == sorted([*earlier, entry(house.work)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('trust = ["/a", "{0}@sha256:{1}"] # mine', 'trust = ["/a", "{2}"] # mine'),
        (
            "trust = [\n  '{0}',  # all of it\n  '/a',\n]",
            "trust = [\n  \"{2}\",  # all of it\n  '/a',\n]",
        ),
        ('trust = "{0}/"', 'trust = "{2}"'),
    ],
)
def test_an_earlier_entry_is_replaced(house: House, before: str, after: str) -> None:
    text = HAND_WRITTEN.format(before.format(house.work, "0" * 64, ""))
    path = house.user(text)
    trust(str(house.work), house.environment)
    assert path.read_text() == HAND_WRITTEN.format(after.format("", "", entry(house.work)))


@pytest.mark.parametrize("line", ["", 'trust = "/a"', "trust = null", "# trust = []"])
def test_a_new_line_where_there_is_no_list(house: House, line: str) -> None:
    path = house.user(HAND_WRITTEN.format(line))
    trust(str(house.work), house.environment)
    assert path.read_text() == HAND_WRITTEN.format(line) + f'\ntrust = ["{entry(house.work)}"]\n'
    assert trusted(path) == [*(["/a"] if '"/a"' in line else []), entry(house.work)]


def test_marks_line_ends_modes_and_links_stay(house: House) -> None:
    real = house.write(house.home / "dotfiles" / "a3s.acl", "")
    real.write_bytes(b"\xef\xbb\xbfmax_turns = 3\r\n")
    real.chmod(0o640)
    path = house.home / ".a3s" / "config.acl"
    path.parent.mkdir()
    path.symlink_to(real)
    trust(str(house.work), house.environment)
    expected = f'\ufeffmax_turns = 3\r\ntrust = ["{entry(house.work)}"]\r\n'
    assert real.read_bytes() == expected.encode()
    assert path.is_symlink() and mode(real) == 0o640
    assert os.listdir(real.parent) == ["a3s.acl"]


@pytest.mark.parametrize(
    ("text", "place"),
    [("max_turns = ", ":1:13: expected a value"), ("\nmax_turns = 0", ":2:13: expected a whole")],
)
def test_a_file_that_cannot_be_understood_is_left_alone(
    house: House, text: str, place: str
) -> None:
    path = house.user(text)
    with pytest.raises(ConfigError) as caught:
        trust(str(house.work), house.environment)
    assert f"{path}{place}" in str(caught.value)
    assert path.read_text() == text


def test_a_file_that_may_not_be_written_is_left_alone(house: House) -> None:
    """A directory in the file's place cannot be replaced, not even by root."""
    blocked = house.home / ".config"
    blocked.write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written"):
        trust(str(house.work), house.environment)
    assert blocked.read_text() == "a file"


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=9
).filter(lambda name: name not in (".", ".."))
ITEMS = st.sampled_from(
    ["trust = []", 'trust = ["/a"]', "trust = [\n  '/a',\n]", "max_turns = 3", "# trust = [", ""]
)


@given(st.lists(ITEMS, max_size=4), st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_whatever_is_trusted_is_found_again(
    tmp_path_factory: pytest.TempPathFactory, items: list[str], names: list[str]
) -> None:
    house = House(tmp_path_factory.mktemp("house"))
    path = house.user("\n".join(items))
    before = trusted(path)
    wanted = []
    for name in names:
        directory = house.work / name
        try:
            directory.mkdir(exist_ok=True)
        except OSError:
            continue
        house.write(directory / ".a3s" / "config.acl", "max_turns = 1000")
        try:
            trust(str(directory), house.environment)
        except A3SError as error:
            raise AssertionError(str(error)) from error
        config = house.load(workspace=directory)
        assert (config.get("max_turns"), refused(config)) == (1000, [])
        wanted.append(str(directory))
    now = {entry_of(text).directory for text in trusted(path)}
    assert now == {*before, *wanted}
    # Taking the entries out again leaves what was there.
    assert [item for item in items if item.startswith("max")] == [
        line for line in path.read_text().split("\n") if line.startswith("max")
    ]


def test_several_at_once_lose_nothing(a3s: Bench) -> None:
    names = [f"project{number}" for number in range(8)]
    for name in names:
        (a3s.work / name).mkdir()
    runs = [a3s.spawn("trust", str(a3s.work / name)) for name in names]
    assert [run.finish().status for run in runs] == [0] * len(names)
    file = (a3s.home / ".config/a3s/config.acl").read_text()
    assert all(f"/{name}@" in file for name in names), file
