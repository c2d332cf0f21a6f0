"""`a3s batch`: many prompts, one stream, every result exactly once."""

from __future__ import annotations

from typing import Any

import click

from .options import POSITIVE, SECTIONS_OF_A_RUN, request, run_options, tool_input_option
from .sections import Sectioned

EPILOG = """\b
Examples:
  a3s batch items.ndjson --allow read > stream.ndjson
  a3s batch people.csv --prompt "Greet {name}." --jobs 20 --rpm 300
  a3s batch results items.ndjson.batch | jq -r .text
"""

#: The sections of `--help`.
SECTIONS = {
    "Items": ("directory", "template", "item_models", "shard", "ship"),
    "Pace": ("jobs", "rpm", "tpm", "attempts", "retry_failed", "engine", "ray_address"),
    "Limits of the batch": ("max_cost", "max_failures"),
    "Stream": (
        "events",
        "order",
        "progress",
        "schema",
        "tool_input",
        "record",
        "no_session",
        "quiet",
    ),
    **{
        title: tuple(name for name in names if name != "max_cost")
        for title, names in SECTIONS_OF_A_RUN.items()
    },
}


#: What the command itself needs, and not its runs.
OWN = (
    "directory", "template", "shard", "cwd", "ship", "tools", "schema", "item_models", "progress",
    "quiet", "debug",
)  # fmt: skip


class Batch(Sectioned, click.Group):
    """A command with an argument that has subcommands as well: its first word decides."""

    allow_interspersed_args = True

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        """Return the context of the subcommand that the first word names, or of the command."""
        if args and (below := self.commands.get(args[0])) is not None:
            return below.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the command itself."""
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command itself."""
        return click.Command.invoke(self, ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line."""
        return click.Command.collect_usage_pieces(self, ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options and the subcommands."""
        super().format_options(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(200)) for name, one in self.commands.items()]
            )


@click.command(
    cls=Batch,
    sections=SECTIONS,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"max_content_width": 80},
)
@click.argument("items", metavar="FILE|-")
@click.option("-d", "--directory", metavar="DIR", help="Keep the batch in DIR (FILE.batch).")
@click.option("--prompt", "template", metavar="TEXT", help="Fill in {columns} of a CSV file.")
@click.option("--item-models", metavar="NAMES", help="Let items choose one of these models.")
@click.option("--shard", metavar="I/N", help="Run only this part of the items, counted from 1.")
@click.option("--ship", metavar="DIR", help="Run each item in a copy of DIR; keep a patch.")
@click.option("--jobs", type=POSITIVE, default=8, metavar="N", help="Run N items at once (8).")
@click.option("--rpm", type=click.FloatRange(0, min_open=True), metavar="N",
              help="Send at most N requests a minute.")  # fmt: skip
@click.option("--tpm", type=click.FloatRange(0, min_open=True), metavar="N",
              help="Use at most N tokens a minute.")  # fmt: skip
@click.option("--attempts", type=POSITIVE, default=3, metavar="N",
              help="Try an item up to N times (3).")  # fmt: skip
@click.option("--retry-failed", is_flag=True, help="Run failed items again.")
@click.option(
    "--on", "engine", default="here", metavar="NAME", help="Run the items here or on ray (here)."
)
@click.option("--ray-address", metavar="HOST:PORT",
              help="Use this Ray cluster (the variable RAY_ADDRESS).")  # fmt: skip
@click.option("--max-failures", metavar="N|P%", help="Stop after more than N (or P%) failures.")
@click.option("--events", type=click.Choice(["all", "terminal"]), default="all",
              help="Show the events of runs, or results only.")  # fmt: skip
@click.option("--order", type=click.Choice(["done", "input"]), default="done",
              help="Show results as they come, or in the order of the items.")  # fmt: skip
@click.option("--progress", is_flag=True, help="Report on stderr every 30 s.")
@click.option("--schema", metavar="FILE|JSON", help="Answer with JSON that matches this schema.")
@tool_input_option
@run_options("When a call needs approval, deny, end the run or ask a program.", asks=False)
@click.option("--no-session", is_flag=True, help="Do not keep the items' conversations.")
@click.option("--record", is_flag=True, help="Record each run, for a3s audit DIR.")
@click.option("-q", "--quiet", is_flag=True, help="Write only usage errors to stderr.")
def batch(**given: Any) -> None:
    """Run many prompts and stream all of their events.

    Each line of FILE is an item: {"id": "1", "prompt": "…"}. A batch that was
    interrupted is resumed by the same command; every item has one result.
    """
    from ..commands.batch import BatchOptions
    from ..commands.batch import batch as run

    most = given.pop("max_cost")
    shared = request({**given, "max_cost": None})
    run(
        BatchOptions(
            items=given["items"],
            request=shared,
            batch={
                "jobs": given["jobs"],
                "rpm": given["rpm"],
                "tpm": given["tpm"],
                "max_cost": most,
                "max_failures": given["max_failures"],
                "attempts": given["attempts"],
                "retry_failed": given["retry_failed"],
                "events": given["events"] == "all",
                "in_order": given["order"] == "input",
                "engine": given["engine"],
                "ray_address": given["ray_address"],
                "record": given["record"],
                "keep_sessions": not given["no_session"],
            },
            **{name: given[name] for name in OWN},
        )
    )


@batch.command(epilog="\b\nExample:\n  a3s batch status items.ndjson.batch")
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def status(directory: str, as_json: bool) -> None:
    """Show the progress of a batch."""
    from ..commands import batch as command

    command.status(directory, lambda text: click.echo(text, nl=False), as_json=as_json)


@batch.command(epilog="\b\nExample:\n  a3s batch results items.ndjson.batch | jq -r .text")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True)
@click.option("--order", type=click.Choice(["done", "input"]), default="done",
              help="Print results as they came, or in the order of the items.")  # fmt: skip
def results(directories: tuple[str, ...], order: str) -> None:
    """Print the results as NDJSON: one line for each item, with its whole text.

    Shards and several directories are merged by the items' ids.
    """
    from ..commands import batch as command

    def show(data: bytes) -> None:
        click.echo(data, nl=False)

    command.results(directories, show, in_order=order == "input")
