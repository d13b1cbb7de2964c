"""The command that answers requests: serve."""

from typing import Annotated

import typer

from modelwarrant.cli.options import ModelArgument, StoreOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    model: ModelArgument,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port.")] = 8080,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Keep the predictions for monitoring.")
    ] = True,
    store: StoreOption = None,
) -> None:
    """Serve what is in production; follows the ledger, verifies what it loads."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.serving_process import run_service

    run_service(open_place(store), model, host=host, port=port, log=log)
