"""a3s: a command-line agent that streams every event."""

from __future__ import annotations

__version__ = "0.1.0"
