"""Commands of the policy: lint, show, ratify, replay, what-if, backtest, explain."""

from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import (
    JsonOption,
    KeyOption,
    StoreOption,
    answer_json,
    note,
    out,
    table,
)

__all__ = ["register"]

FileArgument = Annotated[
    Path | None, typer.Argument(metavar="POLICY", help="Default: the policy that is shipped.")
]
DecisionArgument = Annotated[
    str, typer.Argument(metavar="DECISION", help="Digest of a decision, a request, or MODEL@V.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="The rule itself: prove it, ratify it, replay it.", no_args_is_help=True
    )
    group.command("lint")(lint)
    group.command("show")(show)
    group.command("ratify")(ratify)
    group.command("signers")(signers)
    group.command("replay")(replay)
    group.command("what-if")(what_if)
    group.command("backtest")(backtest)
    group.command("explain")(explain)
    app.add_typer(group, name="policy")


def lint(policy: FileArgument = None, as_json: JsonOption = False) -> None:
    """Prove that the policy is total, free of conflicts and fail-closed."""
    from modelwarrant.cli.ruling import load_policy
    from modelwarrant.policy import lint as find

    rules = load_policy(policy)
    findings = find(rules)
    if as_json:
        answer_json({"policy_digest": rules.digest, "findings": list(findings)})
    else:
        for finding in findings:
            out().print(finding, markup=False)
    if findings:
        raise typer.Exit(2)
    note(f"{policy or 'the shipped policy'}: proven total, free of conflicts and fail-closed")


def show(policy: FileArgument = None, as_json: JsonOption = False) -> None:
    """Print a policy file; without one the shipped policy, to start from."""
    from modelwarrant.cli.ruling import load_policy, policy_text

    if as_json:
        answer_json({"policy_digest": load_policy(policy).digest, "text": policy_text(policy)})
    else:
        out().print(policy_text(policy), markup=False)


def ratify(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model whose rule it becomes.")],
    policy: FileArgument = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")] = "",
    author: Annotated[
        str | None, typer.Option("--author", help="Who wrote the policy; default: you.")
    ] = None,
    self_approve: Annotated[
        bool, typer.Option("--self-approve", help="You wrote it yourself; recorded as such.")
    ] = False,
    key: KeyOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a policy in force. Somebody other than its author must do it, or --self-approve."""
    from modelwarrant.cli.desks import cluster_desk
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import ask_for_policy, ratify_policy

    if not reason.strip():
        raise typer.BadParameter("--reason is needed: why is this policy right?")
    desk = cluster_desk(store)
    if desk is not None:
        request = ask_for_policy(desk, model, policy, reason=reason)
        if as_json:
            answer_json(request.model_dump(mode="json"))
        else:
            what = request.outcome or "waits for somebody else's approval"
            out().print(f"{model}: policy {request.target} {what}", markup=False)
            out().print(f"  request {request.id}", markup=False)
        return
    told = ratify_policy(
        open_place(store),
        model,
        policy,
        reason=reason,
        author=author,
        self_approve=self_approve,
        key=key,
    )
    if as_json:
        answer_json(told)
    else:
        out().print(
            f"{model}: policy {told['digest']} is in force (entry {told['seq']})", markup=False
        )


def signers(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model it is for.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Allowed signers: man ssh-keygen.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")],
    author: Annotated[
        str | None, typer.Option("--author", help="Who wrote the list; default: you.")
    ] = None,
    self_approve: Annotated[
        bool, typer.Option("--self-approve", help="You wrote it yourself; recorded as such.")
    ] = False,
    key: KeyOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a list of allowed SSH signers in force: signed approvals must be by one of them."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import ratify_list

    told = ratify_list(
        open_place(store),
        model,
        file,
        reason=reason,
        author=author,
        self_approve=self_approve,
        key=key,
    )
    if as_json:
        answer_json(told)
    else:
        out().print(f"{model}: signers {told['digest']} are in force (entry {told['seq']})")


def replay(
    decision: DecisionArgument, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Decide again from the recorded evidence; the bytes must be the same."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import replay_decision

    told = replay_decision(open_place(store), decision)
    if as_json:
        answer_json(told)
    else:
        same = "the same bytes" if told["is_identical"] else "OTHER BYTES"
        out().print(f"{told['verdict']} by {told['rule']}: {same} ({told['digest']})", markup=False)
    if not told["is_identical"]:
        raise typer.Exit(2)


def what_if(
    decision: DecisionArgument,
    policy: Annotated[Path, typer.Option("--policy", help="The policy to try.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide the recorded evidence by another policy."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import try_policy
    from modelwarrant.cli.words import print_decision

    recorded, tried = try_policy(open_place(store), decision, policy)
    if as_json:
        answer_json(
            {"recorded": recorded.model_dump(mode="json"), "tried": tried.model_dump(mode="json")}
        )
        return
    out().print(f"recorded: {recorded.verdict} by {recorded.rule}", markup=False)
    out().print(f"with {policy}:", markup=False)
    print_decision(tried)


def backtest(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="The policy to try.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Only decisions about this model.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide every recorded decision of the store by another policy; show those that change."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import backtest_policy

    looked_at, changed = backtest_policy(open_place(store), policy, model=model)
    if as_json:
        found = [each.document() for each in changed]
        answer_json({"policy": str(policy), "decisions": looked_at, "changed": found})
        return
    if changed:
        table(
            ("model", "at", "recorded", "row", "would be", "row now"),
            (
                (
                    each.model,
                    each.time[:10],
                    each.decision.verdict,
                    each.decision.rule,
                    each.tried.verdict,
                    each.tried.rule,
                )
                for each in changed
            ),
        )
    out().print(f"{len(changed)} of {looked_at} recorded decisions would change", markup=False)


def explain(
    decision: DecisionArgument, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Say why a decision was made, and which nearest change would have changed it."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.ruling import find_decision
    from modelwarrant.policy import explain as words

    found = find_decision(open_place(store), decision)
    if as_json:
        answer_json(found.model_dump(mode="json"))
    else:
        for line in words(found):
            out().print(line, markup=False)
