"""The first source of a model: where its makers publish it, on Hugging Face.

`HF_ENDPOINT` names a mirror, as it does for every program that speaks to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NetworkError
from ..transport.download import download
from .partial import append, length

if TYPE_CHECKING:
    from .catalogue import EmbeddedModel
    from .weights import Progress

#: How often a connection may break in a row without a byte having come.
ATTEMPTS = 3


def endpoint(environment: Mapping[str, str]) -> str:
    """Return the hub's address, or a mirror's."""
    return (environment.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


async def fill(
    partial: Path, model: EmbeddedModel, environment: Mapping[str, str], progress: Progress
) -> None:
    """Complete the partial file from where it ends."""
    url = f"{endpoint(environment)}/{model.upstream}"
    offset = length(partial)
    begun, failures = False, 0
    progress(offset, model.size, url)
    while offset < model.size:
        before = offset
        try:
            pieces = download(url, size=model.size, offset=offset)
            async with aclosing(append(partial, offset, pieces)) as sizes:
                async for offset in sizes:
                    progress(offset, model.size, url)
            if offset < model.size:
                raise NetworkError(f"{url.split('/')[2]} closed the connection early")
        except NetworkError:
            begun = begun or offset > before
            failures = 0 if offset > before else failures + 1
            if not begun or failures == ATTEMPTS:
                raise
