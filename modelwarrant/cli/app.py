"""Which commands are there, and what does an error look like to the person who typed one?"""

import os
import sys
from typing import Annotated, NoReturn

import typer

import modelwarrant
from modelwarrant.cli import (
    backtest,
    benchmark,
    cluster,
    data,
    demo,
    gate,
    keys,
    ledger,
    lifecycle,
    monitor,
    policy,
    serving,
    simulation,
    store,
)
from modelwarrant.errors import WarrantError

__all__ = ["app", "main"]

app = typer.Typer(
    name="warrant",
    help="No model goes to production without a warrant.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would double the time that help takes
    context_settings={"help_option_names": ["-h", "--help"]},
)

for commands in (
    data,
    lifecycle,
    cluster,
    gate,
    ledger,
    monitor,
    policy,
    serving,
    store,
    keys,
    demo,
    simulation,
    backtest,
    benchmark,
):
    commands.register(app)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(modelwarrant.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """No model goes to production without a warrant."""


def main() -> None:
    """Run the command line; every error of ours is one message and an exit code."""
    try:
        app()
    except SystemExit as end:
        _leave(end.code)
    except KeyboardInterrupt as error:
        _fail("stopped; what was finished is kept, and the next run goes on from there", error)
    except WarrantError as error:
        _fail(str(error), error)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _fail(f"{name}{error.strerror or error}", error)
    except Exception as error:
        if os.environ.get("WARRANT_DEBUG"):
            raise
        _fail(
            f"a fault of modelwarrant: {type(error).__name__}: {error}; "
            "run again with WARRANT_DEBUG=1 to see where, and please report it",
            error,
        )


def _fail(message: str, error: BaseException) -> None:
    from modelwarrant.stage.exits import exit_code

    sys.stdout.flush()
    print(f"warrant: {message}", file=sys.stderr)  # noqa: T201 - the command's own voice
    _leave(exit_code(error))


def _leave(code: "int | str | None") -> NoReturn:
    """End the process without taking the interpreter apart: that costs a run 0.1 s for nothing."""
    if isinstance(code, str):
        print(code, file=sys.stderr)  # noqa: T201 - the command's own voice
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader of a pipe has gone
        os._exit(1)
    os._exit(1 if isinstance(code, str) else code or 0)
