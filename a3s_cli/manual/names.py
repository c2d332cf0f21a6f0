"""The names of models, for completion: collected once, then cached in a file that shells read."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping

#: Names without characters that are special in a shell.
_SAFE = re.compile(r"[\w./:@+-]+", re.ASCII)
#: The placeholder for a model of a provider that accepts any name.
_ANY = "/MODEL"


def model_names(environment: Mapping[str, str]) -> str:
    """Return the names that `-m` accepts, one per line, and cache them if possible."""
    from ..config.model_names import LOCAL
    from ..run.models import models

    found = [LOCAL, *(row["model"] for row in models(environment, None))]
    names = [name.removesuffix("MODEL") if name.endswith(_ANY) else name for name in found]
    text = "".join(f"{name}\n" for name in names if _SAFE.fullmatch(name))
    with contextlib.suppress(OSError):
        _keep(text, environment)
    return text


def _keep(text: str, environment: Mapping[str, str]) -> None:
    """Replace the file atomically, because a shell may be reading it."""
    home = environment.get("HOME", "")
    cache = environment.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if not cache.startswith("/"):
        return
    directory = os.path.join(cache, "a3s")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    temporary = os.path.join(directory, f"model-names.{os.getpid()}")
    with open(temporary, "w") as file:
        file.write(text)
    os.replace(temporary, os.path.join(directory, "model-names"))
