"""The command line: floor 6. A file in ``commands`` is a command; it is imported when it is called."""

from __future__ import annotations

import errno
import gc
import os
import pkgutil
import sys
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from scanner.cli.settings import Settings, as_date, load_config
from scanner.version import __version__

GARBAGE_THRESHOLD = 50_000
"""Objects made between two searches for cycles: reading and listing make millions, hardly any in a cycle."""
_COMMANDS = "scanner.cli.commands"


class Commands(click.Group):
    """Finds commands by their files."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        folder = str(Path(__file__).with_name("commands"))
        return sorted(module.name.rstrip("_") for module in pkgutil.iter_modules([folder]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's file, which ends with an underscore where Python keeps the word for itself."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{_COMMANDS}.{cmd_name}{'_' * iskeyword(cmd_name)}").command
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--db", metavar="URL", envvar="MAILSUNSET_DB", help="Inventory: a file or a SQLAlchemy URL.")
@click.option("--as-of", metavar="DATE", callback=as_date, help="Judge as on this day (YYYY-MM-DD).")
@click.option(
    "--config",
    metavar="FILE",
    help="Settings as TOML: db, sensor, catalogue, retirement, endpoint, keep_sessions.",
)
@click.version_option(__version__, prog_name="mailsunset")
@click.pass_context
def root(ctx: click.Context, db: str | None, as_of: object, config: str | None) -> None:
    """Tell which machines stop mailing when Exchange Online stops accepting passwords.

    Exit status: 0 done; 1 could not finish (said why, what was read is kept); 2 wrong usage or input;
    10 --fail-on found something.
    """
    ctx.obj = Settings.of(db, as_of, load_config(config))


def main() -> None:
    """Run; a reader that goes away is no fault, a full disk is told in a line, Ctrl-C ends with 130."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        status = root(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"Error: cannot write what was asked for: {fault.strerror}", err=True)
        sys.exit(1)
