"""Commands of the registry: history, verify, rollback, reproduce, evidence, inventory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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

if TYPE_CHECKING:
    from gate.clusterdesk import ClusterDesk

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("history")(history)
    app.command("verify")(verify)
    app.command("rollback")(rollback)
    app.command("tombstone")(tombstone)
    app.command("reproduce")(reproduce)
    app.command("evidence")(evidence)
    app.command("inventory")(inventory)


def history(
    model: ModelArgument,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="The state at that UTC time.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the ledger: every decision, promotion and rollback, and the policy in force."""
    from modelwarrant.cli.knowledge import model_history, open_place

    told = model_history(open_place(store), model, as_of=as_of)
    if as_json:
        answer_json(told)
        return
    table(
        ("seq", "time", "op", "actor", "what"),
        ((e["seq"], e["time"], e["op"], e["actor"], e["summary"]) for e in told["entries"]),
    )
    console = out()
    console.print(f"production: {told['production'] or 'none'}", markup=False)
    policy = told["policy"]
    if policy:
        console.print(
            f"policy in force: {policy['digest']}, ratified by {policy['ratified_by']}",
            markup=False,
        )


def verify(
    model: ModelArgument,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", metavar="F", help="JSON file with seq and hash; may be repeated."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hash everything again: entries, signatures, models, evidence; name the first bad object."""
    from modelwarrant.cli.knowledge import open_place, verify_model

    told = verify_model(open_place(store), model, anchors=anchor or [])
    if as_json:
        answer_json(told)
    else:
        out().print(
            f"{model}: {told['entries']} entries and {told['blobs']} objects verified; "
            f"vouched for up to entry {told['vouched']}",
            markup=False,
        )


def rollback(
    model: ModelArgument,
    to: Annotated[int, typer.Option("--to", metavar="V", help="A former production version.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a former production version back."""
    from modelwarrant.cli.desks import cluster_desk
    from modelwarrant.cli.knowledge import open_place, roll_back

    desk = cluster_desk(store)
    if desk is not None:
        _ask(desk, "rollback", model, to, reason, as_json=as_json)
        return
    told = roll_back(open_place(store), model, to=to, reason=reason)
    if as_json:
        answer_json(told)
    else:
        out().print(f"{model}: version {to} is in production (entry {told['seq']})", markup=False)


def tombstone(
    model: ModelArgument,
    version: Annotated[
        int, typer.Option("--version", metavar="V", help="Never to be served again.")
    ],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bar a version from ever being promoted or served again."""
    from modelwarrant.cli.desks import cluster_desk
    from modelwarrant.cli.knowledge import bury, open_place

    desk = cluster_desk(store)
    if desk is not None:
        _ask(desk, "tombstone", model, version, reason, as_json=as_json)
        return
    told = bury(open_place(store), model, version=version, reason=reason)
    if as_json:
        answer_json(told)
    else:
        out().print(f"{model}: version {version} is barred (entry {told['seq']})", markup=False)


def _ask(
    desk: "ClusterDesk",
    operation: Literal["rollback", "tombstone"],
    model: str,
    version: int,
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Ask a cluster's gate, and tell what came of it."""
    from modelwarrant.cli.desks import ask_cluster

    request = ask_cluster(desk, operation, model, target=str(version), reason=reason)
    if as_json:
        answer_json(request.model_dump(mode="json"))
    else:
        what = request.outcome or "waits for the gate"
        out().print(f"{model}: {operation} of version {version} {what}", markup=False)
        out().print(f"  request {request.id}", markup=False)


def reproduce(
    name: Annotated[str, typer.Argument(metavar="MODEL@V", help="A version of a model.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a version again from its manifest; the digest must be the same."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.reproducing import reproduce_version

    told = reproduce_version(open_place(store), name)
    if as_json:
        answer_json(told)
    else:
        out().print(str(told["summary"]), markup=False)
    if not told["is_reproduced"]:
        note("not reproduced: see the two digests and the environments above")
        raise typer.Exit(2)


def evidence(
    name: Annotated[str, typer.Argument(metavar="MODEL@V", help="A version of a model.")],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what shows how a version came to be; `python -I verify.py` in it needs nothing else."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.packing import write_evidence

    told = write_evidence(open_place(store), name, folder)
    if as_json:
        answer_json(told)
    else:
        console = out()
        console.print(f"{name}: {told['files']} files in {folder}", markup=False)
        console.print(f"first entry: {told['genesis']}", markup=False)
        console.print("read NOT-PROVEN.md; verify with: python -I verify.py", markup=False)


def inventory(
    projects: Annotated[
        list[Path] | None,
        typer.Option(
            "--project", "-p", help="A project file (again for more).", show_default="warrant.yaml"
        ),
    ] = None,
    store: StoreOption = None,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print it for node_exporter's textfile collector.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """One row a model: owner, production, last decision, monitoring, review, what is overdue."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.listing import inventory as rows_of
    from modelwarrant.cli.listing import prometheus_text

    rows = rows_of(open_place(store), projects or [])
    if prometheus:
        typer.echo(prometheus_text(rows), nl=False)
        return
    if as_json:
        answer_json({"models": [row.document() for row in rows]})
        return
    table(
        ("model", "owner", "prod", "decided", "monitored", "due", "review"),
        (
            (
                row.model,
                row.owner,
                row.production,
                row.last_decision,
                None if row.monitoring_last is None else row.monitoring_last[:10],
                None if row.monitoring_due is None else row.monitoring_due[:10],
                row.review_due,
            )
            for row in rows
        ),
    )
    for row in rows:
        said = [*row.overdue, *(f"nobody looked {gap}" for gap in row.unwatched)]
        duties = "; ".join(said) or "nothing is overdue"
        out().print(f"  {row.model}: {duties}", markup=False)
