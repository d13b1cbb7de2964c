"""The typed spec of the stage train_model."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def train_model(
    model: str,
    source: str,
    base: str,
    contract: dict,
    recipe: dict,
    train: str,
    run: str,
    requester: str,
    digest: str,
    current_train: dsl.Input[dsl.Dataset],
    current_ref: dsl.Input[dsl.Artifact],
    reference_train: dsl.Input[dsl.Dataset],
    reference_ref: dsl.Input[dsl.Artifact],
    candidate: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    model_digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Fit a candidate, write it as ONNX and prove that it answers as the fitted estimator does.

    Args:
        model: the model's name.
        source: the project's source, read only where ``train`` is a window of its own.
        base: folder that relative paths start from.
        contract: the feature schema.
        recipe: model, seed and parameters.
        train: ``current``, ``both``, or the bounds of a window of its own.
        run: id of the run, for the manifest.
        requester: who asked, for the manifest.
        digest: the current window's digest.
        current_train: training split of the current window.
        current_ref: where it came from.
        reference_train: training split of the reference window.
        reference_ref: where it came from.
        candidate: bundle: ONNX, schema and manifest.
        metrics: training metrics.
        model_digest: digest of the ONNX bytes.
    """
    return container("train_model")
