"""The monitor: from logged predictions and labels that arrived to a reasoned action."""

from kfp import dsl

from components.collect_predictions.component import collect_predictions
from components.decide_action.component import decide_action
from components.detect_drift.component import detect_drift
from components.estimate_performance.component import estimate_performance
from components.fetch_production.component import fetch_production
from components.join_labels.component import join_labels
from components.request_action.component import request_action
from pipelines.lifecycle import give_store

__all__ = ["monitor"]


@dsl.pipeline(
    name="monitor",
    description="Looks at what production answered and what was learnt since, and acts on it.",
)
def monitor(
    model: str,
    source: str,
    base: str,
    store: str,
    reference: str,
    final: float,
    contract: dict,
    metric: str,
    thresholds: dict = {},  # noqa: B006 - kfp reads the default and changes nothing
    gate: str = "",
) -> None:
    """Wire the stages; see each stage's docstring for its parameters."""
    fetched = fetch_production(
        model=model,
        store=store,
        source=source,
        base=base,
        bounds=reference,
        contract=contract,
        final=final,
        review_by="",
        monitor_every_s=0,
    ).set_caching_options(False)
    collected = collect_predictions(
        model=model,
        store=store,
        gate=gate,
        metric=metric,
        thresholds=thresholds,
        production=fetched.outputs["production"],
    ).set_caching_options(False)
    joined = join_labels(
        model=model,
        store=store,
        production=fetched.outputs["production"],
        prediction_log=collected.outputs["prediction_log"],
    ).set_caching_options(False)
    drift = detect_drift(
        current=collected.outputs["window"],
        reference=fetched.outputs["reference"],
        reference_ref=fetched.outputs["reference_ref"],
        production=fetched.outputs["production"],
        season_s=0,
        slices=[],
        digest=collected.outputs["digest"],
    )
    estimated = estimate_performance(
        production=fetched.outputs["production"],
        reference=fetched.outputs["reference"],
        reference_ref=fetched.outputs["reference_ref"],
        window=collected.outputs["window"],
        prediction_log=collected.outputs["prediction_log"],
        drift_report=drift.outputs["drift_report"],
    )
    decided = decide_action(
        production=fetched.outputs["production"],
        parent=collected.outputs["parent"],
        reference=fetched.outputs["reference"],
        reference_ref=fetched.outputs["reference_ref"],
        window=collected.outputs["window"],
        rows=collected.outputs["rows"],
        labelled=joined.outputs["labelled"],
        labelled_rows=joined.outputs["labelled_rows"],
        label_counts=joined.outputs["label_counts"],
        prediction_log=collected.outputs["prediction_log"],
        drift_report=drift.outputs["drift_report"],
        estimate=estimated.outputs["estimate"],
        expected=estimated.outputs["expected"],
    )
    requested = request_action(
        model=model,
        store=store,
        gate=gate,
        action=decided.outputs["action"],
        drift_report=drift.outputs["drift_report"],
        sample=decided.outputs["sample"],
    ).set_caching_options(False)
    for task in (fetched, collected, joined, requested):
        give_store(task)
