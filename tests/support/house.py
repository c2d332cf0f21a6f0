"""A home and a project, for tests of what is configured where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.config.endpoints import endpoint
from a3s_cli.config.layers import load
from a3s_cli.config.model_names import model_name
from a3s_cli.config.settings import Config
from a3s_cli.errors import ConfigError
from a3s_cli.model import Endpoint


class House:
    """A home and a project beside it; every file is real."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.work = root / "work"
        self.home.mkdir()
        self.work.mkdir()
        self.environment = {"HOME": str(self.home)}

    def user(self, text: str) -> Path:
        return self.write(self.home / ".a3s" / "config.acl", text)

    def project(self, text: str) -> Path:
        return self.write(self.work / ".a3s" / "config.acl", text)

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def load(
        self,
        flags: Mapping[str, Any] | None = None,
        config_file: str | None = None,
        *,
        project: bool = True,
        workspace: Path | None = None,
        **environment: str,
    ) -> Config:
        return load(
            flags or {},
            {**self.environment, **environment},
            workspace or self.work,
            config_file=config_file,
            project=project,
        )


def notices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    return [(notice.code, dict(notice.fields)) for notice in config.notices]


def refused(config: Config) -> list[str]:
    return [key for notice in config.notices for key in notice.fields.get("keys", [])]


def rules(config: Config, name: str) -> list[tuple[str, str]]:
    return [(rule.value, rule.origin) for rule in config.get(name)]


def failure(house: House, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        house.load(**more)
    return str(caught.value)


def place(work: Path, model: str, text: str = "", **environment: str) -> Endpoint:
    """Resolve a model as a run does, from `-m`, one file and the environment."""
    (work / "c.acl").write_text(text)
    config = load({"model": model}, environment, work, config_file="c.acl")
    name = model_name(config)
    assert name is not None
    return endpoint(config, name, environment)


def refusal(work: Path, model: str, text: str = "", **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        place(work, model, text, **environment)
    return str(caught.value)
