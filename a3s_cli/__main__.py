"""The program's entry point: `a3s` and `python -m a3s_cli`.

Signals keep their default action until a command installs handlers: an interrupt
while modules are being imported ends the process and prints no traceback. Until
`main` has seen to that, only modules built into the interpreter are imported here
and in `a3s_cli/__init__.py`.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import enum first
import gc
import sys

#: Allocations before the first collection: nearly every object made at start-up stays.
COLLECT_AFTER = 50_000


def main() -> None:
    """Run the command line. Does not return."""
    if sys.platform == "win32":
        sys.exit("a3s: Windows is not supported (signals, locks, bash); use WSL")
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    gc.set_threshold(COLLECT_AFTER)
    try:
        from .cli import main as run
    except (ImportError, MemoryError) as error:
        from .errors import internal

        failure = internal(error)
        sys.stderr.write(f"a3s: {failure}\nhint: {failure.hint}\n")
        sys.exit(failure.exit_status)
    run()


if __name__ == "__main__":
    main()
