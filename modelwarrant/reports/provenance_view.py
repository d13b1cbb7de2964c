"""What does a page say of where a candidate came from?"""

from modelwarrant.records import (
    Decision,
    EvaluationReport,
    History,
    ModelManifest,
    PromotionRequest,
    WindowRef,
)
from modelwarrant.reports.figures import (
    count,
    declared,
    listing,
    moment,
    number,
    percent,
    plural,
    span,
)
from modelwarrant.reports.parts import Cell, Digest, Fact

__all__ = ["provenance"]


def provenance(
    decision: Decision,
    manifest: ModelManifest,
    evaluation: EvaluationReport,
    history: History,
    request: PromotionRequest | None,
) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Return where everything came from, as titled groups of facts."""
    windows = (
        ("Current window", manifest.current),
        ("Reference window", manifest.reference),
        ("Training window of its own", manifest.own),
    )
    return (
        ("Candidate", _candidate(manifest)),
        *((title, _window(ref)) for title, ref in windows if ref is not None),
        ("Code and machine", _machine(manifest)),
        ("In production before", _before(history)),
        ("Evidence and policy", _evidence(decision, evaluation)),
        *((("Request", _request(request)),) if request is not None else ()),
    )


def _candidate(manifest: ModelManifest) -> tuple[Fact, ...]:
    """Return what the model is and how it was fitted."""
    recipe, parity = manifest.recipe, manifest.parity
    parameters = ", ".join(f"{name} = {value}" for name, value in recipe.parameters.items())
    training = ", ".join(
        f"{name.replace('_', ' ')} {number(value, digits=4)}"
        for name, value in manifest.training_metrics.items()
    )
    agreement = (
        f"{plural(parity.label_differences, 'label')} differ off ties in "
        f"{plural(parity.rows, 'row')} and {plural(parity.hard_rows, 'hard row')}"
    )
    return (
        Fact("model", Digest(manifest.model_digest)),
        Fact(
            "recipe", recipe.model, f"seed {recipe.seed}" + (f"; {parameters}" * bool(parameters))
        ),
        Fact("fitted on", plural(manifest.training_rows, "row"), f"windows: {manifest.train}"),
        Fact("training rows", Digest(manifest.training_digest)),
        Fact("training metrics", training or "none"),
        Fact("schema", Digest(manifest.feature_schema_digest)),
        Fact(
            "ONNX against the estimator",
            f"largest difference {number(parity.max_difference)}",
            f"of {declared(parity.tolerance)} allowed, {parity.path} path; {agreement}",
        ),
    )


def _window(ref: WindowRef) -> tuple[Fact, ...]:
    """Return where one window was read from."""
    late = f"{plural(ref.out_of_order, 'row')} came out of order" if ref.out_of_order else ""
    files = tuple(Fact("file", Digest(each.digest), each.uri) for each in ref.files[:20])
    rest = len(ref.files) - len(files)
    return (
        Fact("source", ref.source),
        Fact("bounds", span(ref.bounds), "the end is not part of it"),
        Fact("rows", count(ref.rows), late),
        Fact("final share", percent(ref.final), "of the labelled rows, read by evaluation only"),
        Fact("window", Digest(ref.window_digest)),
        Fact("training split", Digest(ref.train_digest)),
        Fact("final split", Digest(ref.final_digest)),
        *((Fact("ignored columns", listing(ref.ignored_columns)),) if ref.ignored_columns else ()),
        *files,
        *((Fact("files", f"{count(rest)} more in the manifest"),) if rest > 0 else ()),
    )


def _machine(manifest: ModelManifest) -> tuple[Fact, ...]:
    """Return with which code, packages and machine."""
    states = {True: "with uncommitted changes", False: "clean", None: ""}
    return (
        Fact(
            "code commit", manifest.code_commit or "none: not in git", states[manifest.code_dirty]
        ),
        Fact("packages", Digest(manifest.lock_digest)),
        Fact("image", Digest(manifest.image_digest), "" if manifest.image_digest else "a laptop"),
        Fact("machine", manifest.cpu),
        Fact("modelwarrant", manifest.engine_version),
        Fact("run", manifest.run),
        Fact("requester", manifest.requester),
    )


def _before(history: History) -> tuple[Fact, ...]:
    """Return what the ledger said when the run began."""

    def version(number_: int | None, digest: str | None) -> tuple[Cell, str]:
        return (Digest(digest), f"version {number_}") if number_ is not None else ("none yet", "")

    return (
        Fact("production", *version(history.production_version, history.production_digest)),
        Fact("last human-approved", *version(history.anchor_version, history.anchor_digest)),
        Fact("decisions since the last promotion", count(history.looks)),
        Fact("candidates since then", count(len(history.candidates))),
        Fact("overdue", listing(history.overdue) if history.overdue else "nothing"),
    )


def _evidence(decision: Decision, evaluation: EvaluationReport) -> tuple[Fact, ...]:
    """Return the digests that the decision is a pure function of."""
    named = decision.evidence
    return (
        Fact("evidence", Digest(decision.evidence_digest), "an approval holds for this one only"),
        Fact("manifest", Digest(named.manifest)),
        Fact("drift report", Digest(named.drift)),
        Fact("evaluation report", Digest(named.evaluation)),
        Fact("validation report", Digest(named.validation)),
        Fact("history", Digest(named.history)),
        Fact("policy", Digest(decision.policy_digest), f"engine {decision.engine_version}"),
        Fact("level of each bound", declared(evaluation.alpha)),
    )


def _request(request: PromotionRequest) -> tuple[Fact, ...]:
    """Return who asked, and what the ledger recorded of it."""
    recorded = "nothing yet" if request.ledger_seq is None else f"entry {request.ledger_seq}"
    return (
        Fact("request", request.id),
        Fact("requester", request.requester),
        Fact("made", moment(request.created), f"expires {moment(request.expires)}"),
        Fact("ledger", recorded),
        *((Fact("entry", Digest(request.ledger_digest)),) if request.ledger_digest else ()),
    )
