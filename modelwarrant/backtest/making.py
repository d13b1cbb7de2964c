"""How is a model of a backtest made: fitted, checked, and packed as the lifecycle packs it?"""

from collections.abc import Sequence

from modelwarrant.backtest.shelf import Shelf
from modelwarrant.bundle import Bundle, open_bundle
from modelwarrant.canonical import canonical_json, digest_bytes, parse_json
from modelwarrant.policy import ENGINE_VERSION
from modelwarrant.records import ModelManifest, Recipe, WindowRef
from modelwarrant.training import fit
from modelwarrant.windows import TrainingSplit, training_digest

__all__ = ["NAME", "make"]

NAME = "backtest"
"""Model, run and requester of manifests that live in a backtest only."""


def make(
    splits: Sequence[TrainingSplit], recipe: Recipe, *, current: WindowRef, shelf: Shelf | None
) -> Bundle:
    """Return the model of some rows; the same rows are fitted once only where there is a shelf.

    Args:
        splits: the rows, oldest window first.
        recipe: how it is fitted.
        current: the newest window, for the manifest.
        shelf: where finished models lie.

    Raises:
        DataError, TrainingError: no model can be made of these rows.
    """
    digest = training_digest(splits)
    key, kept = "", None
    if shelf is not None:
        made_from = (recipe.model_dump(mode="json"), digest, current.digest)
        key = shelf.key("model", *made_from)
        kept = shelf.get(key)
    if kept is not None:
        files = {name: bytes.fromhex(text) for name, text in parse_json(kept, name=key).items()}
        return open_bundle(files, name=key)
    files = _fitted(splits, recipe, current=current, digest=digest)
    if shelf is not None:
        shelf.put(key, canonical_json({name: data.hex() for name, data in files.items()}))
    return open_bundle(files, name=f"window {current.bounds}")


def _fitted(
    splits: Sequence[TrainingSplit], recipe: Recipe, *, current: WindowRef, digest: str
) -> dict[str, bytes]:
    fitted = fit(splits, splits[0].window.schema, recipe)
    schema = canonical_json(fitted.schema.model_dump(mode="json"))
    manifest = ModelManifest(
        model=NAME,
        model_digest=digest_bytes(fitted.onnx),
        feature_schema_digest=digest_bytes(schema),
        recipe=recipe,
        train="current",
        current=current,
        reference=None,
        training_digest=digest,
        training_rows=fitted.rows,
        training_metrics=fitted.metrics,
        parity=fitted.parity,
        run=NAME,
        requester=NAME,
        code_commit=None,
        code_dirty=None,
        lock_digest=digest_bytes(b""),  # the manifest lives in a backtest only
        image_digest=None,
        cpu="",
        engine_version=ENGINE_VERSION,
    )
    return {
        "model.onnx": fitted.onnx,
        "schema.json": schema,
        "manifest.json": manifest.to_bytes(),
    }
