"""The lifecycle: from a window of data to a decided, and perhaps promoted, model."""

from kfp import dsl, kubernetes

from components.await_outcome.component import await_outcome
from components.decide_promotion.component import decide_promotion
from components.detect_drift.component import detect_drift
from components.evaluate_model.component import evaluate_model
from components.fetch_production.component import fetch_production
from components.ingest_window.component import ingest_window
from components.request_promotion.component import request_promotion
from components.split_window.component import split_window
from components.train_model.component import train_model
from components.validate_window.component import validate_window

__all__ = ["give_store", "lifecycle"]

STORE = "warrant-store"
"""ConfigMap and Secret of the pipelines' namespace that say where the store is, and as whom; both
may be absent. On a laptop the environment says it."""

WAKE_UPS = 2
"""A run that is woken without an outcome suspends itself again, so many times at most. KFP tries
again whatever the exit code, so a rejected run becomes red only after as many tries."""

RETRIES = 2
"""A stage that reaches for the store is tried again: where network policies are enforced, a new
pod's first connections may be refused. The other stages compute, and would fail the same way."""


def give_store(task: dsl.PipelineTask) -> None:
    """Let a stage that reads or writes the store know where it is, and try it again."""
    places = ("WARRANT_STORE", "WARRANT_S3_ENDPOINT")
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    kubernetes.use_config_map_as_env(task, STORE, {name: name for name in places}, optional=True)
    kubernetes.use_secret_as_env(task, STORE, {name: name for name in keys}, optional=True)
    task.set_retry(RETRIES, backoff_duration="5s", backoff_factor=2)


@dsl.pipeline(
    name="lifecycle",
    description="Turns a window into a candidate and decides whether it may replace production.",
)
def lifecycle(
    model: str,
    source: str,
    base: str,
    store: str,
    current: str,
    reference: str,
    final: float,
    contract: dict,
    recipe: dict,
    train: str,
    metric: str,
    slices: list,
    policy: str,
    run: str,
    requester: str,
    data_digest: str = "",
    review_by: str = "",
    monitor_every_s: int = 0,
    gate: str = "",
    season_s: int = 0,
) -> None:
    """Wire the stages; see each stage's docstring for its parameters."""
    ingested = ingest_window(
        source=source,
        base=base,
        bounds=current,
        contract=contract,
        final=final,
        data_digest=data_digest,
        season_s=season_s,
    ).set_caching_options(False)
    fetched = fetch_production(
        model=model,
        store=store,
        source=source,
        base=base,
        bounds=reference,
        contract=contract,
        final=final,
        review_by=review_by,
        monitor_every_s=monitor_every_s,
    ).set_caching_options(False)
    now = validate_window(
        window=ingested.outputs["window"],
        window_ref=ingested.outputs["window_ref"],
        digest=ingested.outputs["digest"],
    )
    before = validate_window(
        window=fetched.outputs["reference"],
        window_ref=fetched.outputs["reference_ref"],
        digest=fetched.outputs["digest"],
    )
    now_split = split_window(
        window=now.outputs["validated"],
        window_ref=ingested.outputs["window_ref"],
        digest=ingested.outputs["digest"],
    )
    before_split = split_window(
        window=before.outputs["validated"],
        window_ref=fetched.outputs["reference_ref"],
        digest=fetched.outputs["digest"],
    )
    trained = train_model(
        model=model,
        source=source,
        base=base,
        contract=contract,
        recipe=recipe,
        train=train,
        run=run,
        requester=requester,
        digest=ingested.outputs["digest"],
        current_train=now_split.outputs["train"],
        current_ref=now_split.outputs["split_ref"],
        reference_train=before_split.outputs["train"],
        reference_ref=before_split.outputs["split_ref"],
    )
    drift = detect_drift(
        current=now.outputs["validated"],
        reference=before.outputs["validated"],
        reference_ref=fetched.outputs["reference_ref"],
        production=fetched.outputs["production"],
        history=ingested.outputs["history"],
        season_s=season_s,
        slices=slices,
        digest=ingested.outputs["digest"],
    )
    evaluated = evaluate_model(
        metric=metric,
        slices=slices,
        policy=policy,
        candidate=trained.outputs["candidate"],
        production=fetched.outputs["production"],
        anchor=fetched.outputs["anchor"],
        current_train=now_split.outputs["train"],
        current_final=now_split.outputs["final"],
        reference_final=before_split.outputs["final"],
        history=fetched.outputs["history"],
        final_digest=now_split.outputs["final_digest"],
    )
    decided = decide_promotion(
        policy=policy,
        drift_report=drift.outputs["drift_report"],
        evaluation_report=evaluated.outputs["evaluation_report"],
        validation_report=now.outputs["validation_report"],
        candidate=trained.outputs["candidate"],
        history=fetched.outputs["history"],
    )
    requested = request_promotion(
        model=model,
        store=store,
        run=run,
        requester=requester,
        policy=policy,
        gate=gate,
        workflow=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER,
        uid=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        decision=decided.outputs["decision"],
        candidate=trained.outputs["candidate"],
        drift_report=drift.outputs["drift_report"],
        evaluation_report=evaluated.outputs["evaluation_report"],
        validation_report=now.outputs["validation_report"],
        history=fetched.outputs["history"],
    ).set_caching_options(False)
    awaited = await_outcome(
        store=store,
        request=requested.outputs["request"],
        gate=gate,
        workflow=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER,
    ).set_caching_options(False)
    awaited.set_retry(WAKE_UPS, backoff_duration="1s", backoff_factor=1)
    for task in (ingested, fetched, trained, requested):
        give_store(task)
