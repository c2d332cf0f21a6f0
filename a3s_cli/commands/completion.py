"""`a3s completion --install`: the script where the user's shell looks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import OutputError, UsageError


def installed(shell: str, script: str, environment: Mapping[str, str]) -> str:
    """Write the script; return what is left to say. Raises UsageError or OutputError."""
    home = environment.get("HOME", "")
    if not home.startswith("/"):
        raise UsageError("there is no home directory", hint="set HOME to an absolute path")
    data = environment.get("XDG_DATA_HOME", "")
    data = data if data.startswith("/") else f"{home}/.local/share"
    config = environment.get("XDG_CONFIG_HOME", "")
    config = config if config.startswith("/") else f"{home}/.config"
    place = Path(
        {
            "bash": f"{data}/bash-completion/completions/a3s",
            "zsh": f"{data}/zsh/site-functions/_a3s",
            "fish": f"{config}/fish/completions/a3s.fish",
        }[shell]
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(script, "utf-8")
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror}") from None
    if shell == "zsh":
        return f"{place}\nin ~/.zshrc, before compinit:  fpath=({place.parent} $fpath)"
    return f"{place}\nnew shells complete a3s"
