"""The child process in which the model lives: llama.cpp's own server, from a wheel.

This is a script, run by path and importing nothing of a3s, so that the child
holds the model and nothing else. It says its address in one line on stdout when
it can answer, and then serves until it is killed. The key comes through the
environment, where other users of the machine cannot read it.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import xllamacpp  # type: ignore[import-not-found,import-untyped,unused-ignore]


def main() -> None:
    """Load the model and serve it."""
    options = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [os.environ.pop("A3S_LOCAL_KEY")]
    params.n_ctx = options["context"]
    params.n_parallel = 1
    params.cpuparams.n_threads = options["threads"]
    params.cpuparams_batch.n_threads = options["batch_threads"]
    params.sampling.temp = 0
    params.ui = False
    params.offline = True
    params.warmup = False  # the first prompt does as well
    params.cache_ram_mib = 0  # one conversation: its state is in the slot
    params.slot_save_path = options["states"]
    server = xllamacpp.Server(params)
    os.write(1, f"{server.listening_address}\n".encode())
    while True:
        signal.pause()


main()
