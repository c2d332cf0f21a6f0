"""Writes the pages and the completions of a checkout: `python -m a3s_cli.manual`."""

from __future__ import annotations

from pathlib import Path

from ..registry import load
from .completions import files
from .pages import man_source, pages
from .tree import read


def generated() -> dict[str, str]:
    """Return the text of every generated file, by its path in the checkout."""
    # Loaded by name, because the command line is a layer above the manual.
    root = read(load("a3s_cli.cli:group"))
    found = {f"man/{page.file}": man_source(root, page) for page in pages(root)}
    return found | {f"completions/{name}": text for name, text in files(root).items()}


def main() -> None:
    """Write the files that have changed, and remove those that are no longer generated."""
    checkout = Path(__file__).parents[2]
    wanted = generated()
    for directory in ("man", "completions"):
        for path in (checkout / directory).rglob("*"):
            if path.is_file() and path.relative_to(checkout).as_posix() not in wanted:
                path.unlink()
    for name, text in wanted.items():
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
