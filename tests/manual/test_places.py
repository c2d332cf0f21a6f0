"""Where a3s has to work: without a home, without a locale, and what it says where it cannot."""

from __future__ import annotations

import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
from pathlib import Path

from a3s_cli.errors import ExitStatus

from ..support.a3s import Bench
from ..support.replies import text

CHECKOUT = Path(__file__).parents[2]


def test_a_run_needs_no_home_no_locale_and_no_repository(a3s: Bench) -> None:
    nothing = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"))
    result = a3s("run", "hi", script=[text("hé")], env={**nothing, "LC_ALL": "C", "LANG": "C"})
    assert (result.exit_status, result.text) == (0, "hé")
    names = a3s("completion", "--models", env=nothing)
    assert (names.exit_status, names.stdout[:6], names.stderr) == (0, b"local\n", b"")
    assert list(a3s.work.iterdir()) == []


def test_a_home_that_cannot_be_written(a3s: Bench) -> None:
    """A file where a directory should be stops root as well."""
    home = a3s.root / "no-home"
    home.write_text("")
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    result = a3s("run", "hi", script=[text("ok")], env={**places, "XDG_CONFIG_HOME": None})
    assert (result.exit_status, result.text) == (0, "ok")


def test_names_of_models_are_kept_where_shells_look(a3s: Bench) -> None:
    shown = a3s("completion", "--models")
    kept = a3s.home / ".cache/a3s/model-names"
    assert (shown.exit_status, shown.stdout) == (0, kept.read_bytes())
    assert {"local", "local/smollm2-135m", "openai/"} <= set(shown.stdout.decode().split())
    assert [path.name for path in kept.parent.iterdir()] == ["model-names"]
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.write_text("")  # nothing can be kept
    assert a3s("completion", "--models").stdout == shown.stdout


def test_windows_is_refused_with_one_sentence() -> None:
    """The interpreter is told that it runs there; nothing else of a3s may have been imported."""
    pretend = (
        "import sys; sys.platform = 'win32'; from a3s_cli.__main__ import main\n"
        "try: main()\n"
        "finally: print(sorted(name for name in sys.modules if name.startswith('a3s_cli')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", pretend], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    assert result.stdout == "['a3s_cli', 'a3s_cli.__main__']\n"
    assert (result.returncode, len(result.stderr.splitlines())) == (ExitStatus.FAILED, 1)
    assert result.stderr.startswith("a3s: Windows is not supported")
