"""Fit a candidate, write it as ONNX and prove that it answers as the fitted estimator does."""

import sys
from collections.abc import Sequence
from pathlib import Path

from modelwarrant.bundle import write_bundle
from modelwarrant.canonical import digest_bytes
from modelwarrant.contract import check
from modelwarrant.records import ModelManifest, Recipe, WindowRef
from modelwarrant.sources import load_training, read_window
from modelwarrant.stage import Task, collect_provenance, run_stage
from modelwarrant.training import fit, fitted_rows
from modelwarrant.windows import (
    FeatureSchema,
    TrainingSplit,
    parse_bounds,
    training_digest,
)


def train(task: Task) -> None:
    """Choose the rows, fit, prove parity, write the bundle with its manifest."""
    current_ref = _ref(task, "current_ref")
    reference_ref = _ref(task, "reference_ref")
    own, own_ref = _own_window(task)
    splits = fitted_rows(_splits(task, own), current=current_ref, reference=reference_ref)
    schema = splits[-1].window.schema
    base = Path(task.parameter("base"))
    sys.path.insert(0, str(base))  # where a recipe's own estimator lives, beside the project file
    recipe = Recipe.model_validate(task.parameter("recipe"))
    fitted = fit(splits, schema, recipe)
    mode = task.parameter("train")
    manifest = ModelManifest(
        model=task.parameter("model"),
        model_digest=digest_bytes(fitted.onnx),
        feature_schema_digest=fitted.schema.digest,
        levels_learned=tuple(
            feature.name
            for feature in schema.features
            if feature.kind == "category" and feature.categories is None
        ),
        recipe=recipe,
        train=mode if mode in ("current", "both") else "own",
        current=current_ref,
        reference=reference_ref,
        own=own_ref,
        training_digest=training_digest(splits),
        training_rows=fitted.rows,
        training_metrics=fitted.metrics,
        parity=fitted.parity,
        run=task.parameter("run"),
        requester=task.parameter("requester"),
        image_digest=task.settings.image_digest,
        **vars(collect_provenance(base)),
    )
    write_bundle(task.output("candidate"), fitted.onnx, fitted.schema, manifest)
    task.output("metrics").touch()
    task.annotate("metrics", **fitted.metrics)
    task.set("model_digest", manifest.model_digest)


def _ref(task: Task, name: str) -> WindowRef:
    return WindowRef.from_bytes(task.path(name).read_bytes(), name=name)


def _splits(task: Task, own: TrainingSplit | None) -> list[TrainingSplit]:
    """Return the splits that the project's ``train`` names, oldest first."""
    if own is not None:
        return [own]
    current = load_training(task.path("current_train"))
    if task.parameter("train") == "current":
        return [current]
    return [load_training(task.path("reference_train")), current]


def _own_window(task: Task) -> tuple[TrainingSplit | None, WindowRef | None]:
    """Read the training window of its own, if the project names one."""
    if task.parameter("train") in ("current", "both"):
        return None, None
    window, ref = read_window(
        task.parameter("source"),
        FeatureSchema.model_validate(task.parameter("contract")),
        parse_bounds(task.parameter("train")),
        base=Path(task.parameter("base")),
        final=_ref(task, "current_ref").final,
    )
    check(window, ref)
    return TrainingSplit(window.labelled()), ref


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("train_model", train, argv)


if __name__ == "__main__":
    sys.exit(main())
