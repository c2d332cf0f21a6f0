from a3s_cli import tool


@tool
def shout() -> str:
    """Shout."""
    return "!"
