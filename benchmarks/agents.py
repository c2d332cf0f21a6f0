"""The agents that are compared, each through its own documented headless mode: a table of data.

`{url}` stands for the base URL of the model, `{home}` for the agent's home, and
`{prompt}` for the prompt. Whatever would call home is switched off by the
agent's own settings; the namespace without a network sees to the rest.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .place import Place, Seen
from .replies import Scenario

PROMPT = "Do what you can."
KEY = "sk-benchmark-0123456789abcdef"


@dataclass(frozen=True)
class Agent:
    """How one agent is run without a terminal."""

    name: str
    #: Looked for on PATH; the path of it once it was found.
    program: str
    #: The arguments of a run.
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Written below its home, before its first run.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Its shell: the name of the tool, the argument with the command, and further ones.
    shell: tuple[str, str, Mapping[str, Any]] | None = None
    #: The arguments that let it run any command.
    allow: tuple[str, ...] = ()
    #: The arguments that make it an editor's agent.
    acp: tuple[str, ...] = ()
    #: Its program is the name of a module then, and its arguments are a script.
    is_library: bool = False

    def found(self) -> Agent | None:
        """Return the agent with the path of its program; None if it is not installed."""
        if self.is_library:
            return replace(self, program=sys.executable) if find_spec(self.program) else None
        path = shutil.which(self.program)
        return None if path is None else replace(self, program=str(Path(path).absolute()))

    def run(
        self, place: Place, *arguments: str, kind: str = "plain", through: tuple[str, ...] = ()
    ) -> Callable[[], Seen]:
        """Return a job that runs the program with only these arguments, in the home of a kind.

        `through` is a command that runs it.
        """
        environment = self._environment(place, kind, "http://127.0.0.1:9")
        return lambda: place.run([*through, self.program, *arguments], environment, mark="")

    def ask(
        self, place: Place, kind: str, scenario: Scenario, *more: str, kept: int = 4096
    ) -> Callable[[], Seen]:
        """Return a job that runs one prompt; `kind` names the home, whose files differ."""
        argv, environment = self.asked(place, kind, scenario)
        return lambda: place.run([*argv, *more], environment, kept=kept)

    def asked(
        self, place: Place, kind: str, scenario: Scenario
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment of one prompt."""
        url = place.url(scenario)
        environment = self._environment(place, kind, url)
        words = {"{url}": url, "{prompt}": PROMPT}
        home = environment["HOME"]
        arguments = [words.get(word, word).replace("{home}", home) for word in self.arguments]
        return [self.program, *arguments], environment

    def command(self, place: Place, kind: str, command: str) -> Callable[[], Seen]:
        """Return a job whose model runs a command and then answers."""
        assert self.shell is not None
        tool, key, others = self.shell
        scenario = Scenario(turns=1, tool=tool, arguments={key: command, **others})
        return self.ask(place, kind, scenario, *self.allow)

    def _environment(self, place: Place, kind: str, url: str) -> dict[str, str]:
        name = f"{self.name}-{kind}"
        home = place.home(name)

        def filled(text: str) -> str:
            return text.replace("{url}", url).replace("{home}", str(home))

        for path, text in self.files.items():
            file = home / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(filled(text))
        return place.environment(
            name, {key: filled(value) for key, value in self.environment.items()}
        )


def a3s(program: Path) -> Agent:
    """Return the a3s to measure; it saves here what it saves by default."""
    return Agent(
        "a3s",
        str(program.absolute()),
        ("run", "{prompt}", "-o", "json"),
        {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": "{url}/v1",
            "A3S_MODEL": "openai/m",
        },
        shell=("bash", "command", {}),
        allow=("--allow", "bash"),
        acp=("acp",),
    )
