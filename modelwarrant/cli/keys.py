"""Commands of the signing keys: whose laptops may write a ledger."""

from typing import Annotated

import typer

from modelwarrant.cli.options import JsonOption, StoreOption, answer_json, out

__all__ = ["register"]

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Whose laptops may write a ledger.", no_args_is_help=True)
    group.command("show")(show)
    group.command("add")(add)
    group.command("remove")(remove)
    app.add_typer(group, name="keys")


def show(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print this laptop's public key, for somebody whose key is in force to add."""
    from modelwarrant.cli.knowledge import open_place

    key = open_place(store).home.signer().public
    if as_json:
        answer_json(key.model_dump(mode="json"))
    else:
        out().print(key.public, markup=False)


def add(
    model: ModelArgument,
    public: Annotated[str, typer.Argument(metavar="KEY", help="What `warrant keys show` prints.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let another laptop write this model's ledger."""
    _change(model, store, as_json=as_json, add=public)


def remove(
    model: ModelArgument,
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a laptop write no longer; what it wrote stays valid."""
    _change(model, store, as_json=as_json, remove=id)


def _change(
    model: str,
    store: str | None,
    *,
    as_json: bool,
    add: str | None = None,
    remove: str | None = None,
) -> None:
    from modelwarrant.cli.knowledge import change_ledger_keys, open_place

    known = change_ledger_keys(open_place(store), model, add=add, remove=remove)
    if as_json:
        answer_json({"model": model, "keys": known})
        return
    for id in known:
        out().print(id, markup=False)
