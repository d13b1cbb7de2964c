"""Commands of the store: store probe, gc, export, import, upgrade; doctor."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import (
    JsonOption,
    ModelArgument,
    StoreOption,
    answer_json,
    note,
    out,
    table,
)

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The place where everything lies.", no_args_is_help=True)
    group.command("probe")(probe)
    group.command("gc")(gc)
    group.command("export")(export)
    group.command("import")(bring)
    group.command("upgrade")(upgrade)
    app.command("doctor")(doctor)
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
    _leave(finding.is_temporary for finding in findings if not finding.is_kept)


def gc(
    model: ModelArgument,
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


def export(
    model: ModelArgument,
    file: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file (tar).")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a whole ledger, verified, with all that it names, to one file."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.packing import export_ledger

    told = export_ledger(open_place(store), model, file)
    if as_json:
        answer_json(told)
    else:
        out().print(
            f"{model}: {told['seq']} entries and {told['blobs']} blobs in {file} "
            f"({told['bytes']:,} bytes)",
            markup=False,
        )


def bring(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `warrant store export` wrote.")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring an exported ledger into this store; verified before and on arrival."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.packing import import_ledger

    told = import_ledger(open_place(store), file)
    if as_json:
        answer_json(told)
        return
    out().print(
        f"{told['model']}: {told['entries']} entries and {told['blobs']} blobs arrived in "
        f"{told['store']} and verify; production: version {told['production'] or 'none'}",
        markup=False,
    )
    out().print(f"first entry: {told['genesis']}", markup=False)
    if not told["may_write"]:
        note(f"your key is not in force in it; in force: {', '.join(told['keys'])}")


def upgrade(
    model: ModelArgument,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write later entries in this program's schema; older programs then refuse the ledger."""
    from modelwarrant.cli.knowledge import open_place, upgrade_ledger

    told = upgrade_ledger(open_place(store), model)
    if as_json:
        answer_json(told)
    else:
        done = "is" if told["seq"] is None else "is from here on"
        out().print(f"{model}: the ledger {done} of schema {told['schema']}", markup=False)


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Say what is wrong with the store, the keys and every ledger, and what to do."""
    from modelwarrant.cli.doctoring import diagnose
    from modelwarrant.cli.knowledge import open_place

    found = diagnose(open_place(store))
    if as_json:
        answer_json({"findings": [vars(each) for each in found]})
    else:
        table(
            ("looked at", "well", "detail"),
            ((each.what, "yes" if each.is_well else "NO", each.detail) for each in found),
        )
        for each in found:
            if each.todo is not None:
                out().print(f"{each.what}: {each.todo}", markup=False)
    _leave(each.is_temporary for each in found if not each.is_well)


def _leave(failures: Iterable[bool]) -> None:
    """Exit with 2 where something failed, with 75 where all that failed may work later."""
    temporary = list(failures)
    if temporary:
        raise typer.Exit(75 if all(temporary) else 2)
