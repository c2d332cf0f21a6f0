"""A plug-in: two tools, and what can be wrong with one."""

from a3s_cli import tool

NUMBER = 3
print("imported")


@tool
def double(number: int) -> int:
    """Double a number."""
    print("called")
    return 2 * number


@tool
def shout(text: str) -> str:
    """Say a text in capital letters."""
    return text.upper()


TOOLS = [double, shout]
