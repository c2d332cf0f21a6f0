from a3s_cli import tool

from . import double


@tool(read_only=True)
def count(text: str) -> int:
    """Count the letters of a text."""
    return len(text)


@tool
def mcp__server__send(text: str) -> str:
    """Send a text."""
    return text


@tool
def load_tools(names: list[str]) -> str:
    """Load nothing."""
    return ""


def plain() -> None:
    """Stand for what is no tool."""


COUNTING = [double, count]
MIXED = [double, plain]
TWICE = [double, double]
NONE: list[object] = []
