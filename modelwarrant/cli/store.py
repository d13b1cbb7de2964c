"""Commands of the store: store probe, store gc."""

from typing import Annotated

import typer

from modelwarrant.cli.options import JsonOption, StoreOption, answer_json, table

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The place where everything lies.", no_args_is_help=True)
    group.command("probe")(probe)
    group.command("gc")(gc)
    app.add_typer(group, name="store")


def probe(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Try whether the store keeps the promises that the ledger rests on."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.storage import probe as try_store

    findings = try_store(open_place(store).store)
    if as_json:
        answer_json({"findings": [vars(finding) for finding in findings]})
    else:
        table(
            ("check", "kept", "detail"),
            ((f.check, "yes" if f.is_kept else "NO", f.detail) for f in findings),
        )
    if not all(finding.is_kept for finding in findings):
        raise typer.Exit(2)


def gc(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what no entry names: first fenced by an entry, then deleted."""
    from modelwarrant.cli.knowledge import collect_garbage, open_place

    told = collect_garbage(open_place(store), model)
    if as_json:
        answer_json(told)
    else:
        table(
            ("fenced attempts", "removed blobs", "removed snapshots"),
            [(len(told["attempts"]), told["blobs"], told["snapshots"])],
        )
