"""The program's entry point: `a3s` and `python -m a3s_cli`.

Signals keep their default action until a command installs handlers: an interrupt
while modules are being imported should end the process, not print a traceback.
"""

from __future__ import annotations

import gc
import signal
import sys

#: Allocations before the first collection: nearly every object made at start-up stays.
COLLECT_AFTER = 50_000


def main() -> None:
    """Run the command line. Does not return."""
    if sys.platform == "win32":
        sys.exit("a3s: Windows is not supported (signals, locks, bash); use WSL")
    gc.set_threshold(COLLECT_AFTER)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
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
