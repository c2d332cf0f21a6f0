"""The library's entry point: an `Agent` is a configuration that opens sessions.

agent = Agent.create("config.acl")
session = agent.session(".")
print(session.send("what does this project do?").text)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .batch import Batch
    from .options import SessionOptions
    from .session import Session


class Agent:
    """A configuration: models, keys and rules. Make one with `Agent.create`."""

    def __init__(self, *, config_file: str | None = None, config_text: str | None = None) -> None:
        self._config_file = config_file
        self._config_text = config_text

    @classmethod
    def create(cls, source: str | os.PathLike[str] | None = None) -> Agent:
        """Return an agent with this configuration; by default, the command line's.

        A `Path` is a path, and so is a string of one line that ends in `.acl` or
        names a file; any other string is the text of a configuration.

        Raises ConfigError if the file is missing or the configuration is wrong (its
        hint says whether the string was taken as text), TypeError for anything else.
        """
        if source is None:
            return cls()
        text = os.fspath(source)
        if not isinstance(text, str):
            raise TypeError(f"a configuration is text or a path, not {type(text).__name__}")
        if not isinstance(source, str) or _is_path(text):
            path = Path(text).absolute()
            if not path.is_file():
                raise ConfigError(f"{text}: no such configuration file")
            agent = cls(config_file=str(path))
        else:
            agent = cls(config_text=text)
        try:
            agent._check()
        except ConfigError as error:
            if agent._config_text is not None and "\n" not in text and error.hint is None:
                error.hint = (
                    "taken as configuration text: a path ends in .acl or names an existing file"
                )
            raise
        return agent

    def session(
        self, workspace: str | os.PathLike[str] = ".", options: SessionOptions | None = None
    ) -> Session:
        """Open a conversation in a directory, the workspace of its runs.

        Raises UsageError if the workspace is not a directory or an option's value is
        invalid, ConfigError if the configuration is wrong or names no usable model,
        TypeError for a tool that is neither a name nor a function made with `tool`.
        """
        from .options import SessionOptions
        from .session import Session

        root = Path(workspace).absolute()
        if not root.is_dir():
            raise UsageError(f"the workspace {os.fspath(workspace)} is not a directory")
        chosen = SessionOptions() if options is None else options.copy()
        return Session(root, chosen, config_file=self._config_file, config_text=self._config_text)

    def batch(
        self,
        items: Iterable[str | Mapping[str, Any]] | str | os.PathLike[str],
        workspace: str | os.PathLike[str] = ".",
        options: SessionOptions | None = None,
        *,
        directory: str | os.PathLike[str] | None = None,
        **how: Any,
    ) -> Batch:
        """Return a batch of many prompts, an async iterator of (item, event).

        `items` are prompts, dictionaries with the fields of an item of `a3s batch`, or the
        path of a file of items. `directory` is where the journal, the sessions and the
        results are kept; the same call resumes what was interrupted. `how` takes the
        command's options: jobs, rpm, tpm, max_cost, max_failures, attempts, retry_failed,
        events, in_order, engine, ray_address, item_models, record, ship. With `ship=True`,
        each item gets a copy of the workspace, and `item_end.patch` names the file with its
        changes.

        Raises UsageError for an option that cannot be sent to other processes, TypeError
        for an unknown one.
        """
        from .batch import Batch, batch_request
        from .options import SessionOptions

        root = Path(workspace).absolute()
        if not root.is_dir():
            raise UsageError(f"the workspace {os.fspath(workspace)} is not a directory")
        config = (self._config_file, self._config_text)
        chosen = options or SessionOptions()
        return Batch(batch_request(items, root, chosen, config, directory, how))

    def _check(self) -> None:
        """Read the configuration once, to report its errors here."""
        from ..config.layers import load

        load(
            {},
            os.environ,
            Path.cwd(),
            config_file=self._config_file,
            config_text=self._config_text,
            project=False,
        )


def _is_path(text: str) -> bool:
    if "\n" in text or "\0" in text or not text.strip():
        return False
    try:
        return text.endswith(".acl") or Path(text).exists()
    except OSError:
        return False  # Too long for a path.
