"""Does training a version again from its manifest give the same model?"""

from pathlib import Path
from typing import Any

from modelwarrant.canonical import digest_bytes
from modelwarrant.cli.knowledge import Place, parse_name
from modelwarrant.cli.scoring import version_bundle
from modelwarrant.errors import ChangedDataError
from modelwarrant.records import ModelManifest, WindowRef
from modelwarrant.sources import read_window, verify_ref
from modelwarrant.stage import collect_provenance
from modelwarrant.training import fit, fitted_rows
from modelwarrant.windows import (
    FeatureSchema,
    TrainingSplit,
    parse_bounds,
    split,
    training_digest,
)

__all__ = ["reproduce_version"]


def reproduce_version(place: Place, name: str) -> dict[str, Any]:
    """Read the manifest's windows again, fit its recipe, and compare the digests.

    Sources are looked for from the folder that the command runs in.

    Raises:
        ChangedDataError: the rows are no longer those that were fitted.
    """
    model, number = parse_name(name)
    version = place.state(model).version(number)
    bundle = version_bundle(place, model, version)
    manifest, schema = bundle.manifest, bundle.declared_schema
    splits = _splits(manifest, schema, Path.cwd())
    found = training_digest(splits)
    if found != manifest.training_digest:
        raise ChangedDataError(
            f"{name}: the training rows have the digest {found}, "
            f"the manifest states {manifest.training_digest}"
        )
    fitted = fit(splits, schema, manifest.recipe)
    digest = digest_bytes(fitted.onnx)
    here = collect_provenance(Path.cwd())
    same_place = (here.cpu, here.lock_digest) == (manifest.cpu, manifest.lock_digest)
    where = (
        "on the same libraries and CPU family"
        if same_place
        else (
            f"with libraries {here.lock_digest[:19]} on {here.cpu}, "
            f"where it was made with {manifest.lock_digest[:19]} on {manifest.cpu}"
        )
    )
    reproduced = digest == manifest.model_digest
    said = "the same digest" if reproduced else f"digest {digest}, the version has"
    return {
        "model": model,
        "version": number,
        "is_reproduced": reproduced,
        "digest": digest,
        "recorded_digest": manifest.model_digest,
        "same_environment": same_place,
        "summary": f"{name}: {said} {manifest.model_digest} {where}",
    }


def _splits(manifest: ModelManifest, schema: FeatureSchema, base: Path) -> list[TrainingSplit]:
    """Return the rows that were fitted, chosen as the training stage chose them."""
    current = _split(manifest.current, schema, base)
    if manifest.train == "own" and manifest.own is not None:
        window, _ = _read(manifest.own, schema, base)
        splits = [TrainingSplit(window.labelled())]
    elif manifest.train == "both" and manifest.reference is not None:
        splits = [_split(manifest.reference, schema, base), current]
    else:
        splits = [current]
    if manifest.reference is None:
        return splits
    return fitted_rows(splits, current=manifest.current, reference=manifest.reference)


def _read(ref: WindowRef, schema: FeatureSchema, base: Path) -> tuple[Any, WindowRef]:
    window, found = read_window(
        ref.source, schema, parse_bounds(ref.bounds), base=base, final=ref.final
    )
    if schema.digest == ref.schema_digest:
        verify_ref(ref, window)
    return window, found


def _split(ref: WindowRef, schema: FeatureSchema, base: Path) -> TrainingSplit:
    window, _ = _read(ref, schema, base)
    return split(window, final=ref.final)[0]
