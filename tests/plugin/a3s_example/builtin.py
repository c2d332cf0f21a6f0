from a3s_cli import tool


@tool
def bash(command: str) -> str:
    """Run nothing."""
    return command
