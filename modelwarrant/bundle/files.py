"""How is a bundle kept as files, and is it whole and unaltered when it is read?"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from modelwarrant.bundle.model import Bundle
from modelwarrant.bundle.scorer import Scorer
from modelwarrant.canonical import canonical_json, digest_bytes, parse_json
from modelwarrant.errors import BundleError, RecordError
from modelwarrant.records import BUNDLE_FILES, ModelManifest
from modelwarrant.windows import FeatureSchema

__all__ = ["open_bundle", "read_bundle", "write_bundle"]


def read_bundle(path: Path, *, digest: str | None = None) -> Bundle:
    """Read and check a bundle's folder.

    Args:
        path: the folder.
        digest: the model digest it must have; None accepts what the manifest states.

    Raises:
        BundleError: a file is absent, altered or cannot be used; the message names it.
    """
    files = {}
    for name in BUNDLE_FILES:
        try:
            files[name] = (path / name).read_bytes()
        except OSError as error:
            raise BundleError(f"{path / name}: {error.strerror or error}") from error
    return open_bundle(files, name=str(path), digest=digest)


def open_bundle(files: Mapping[str, bytes], *, name: str, digest: str | None = None) -> Bundle:
    """Check and load a bundle whose files were read already, for example blobs of a ledger.

    Digests are compared before anything is parsed that they cover.

    Args:
        files: bytes by file name.
        name: where they came from, for error messages.
        digest: as for ``read_bundle``.

    Raises:
        BundleError: as for ``read_bundle``.
    """
    for required in BUNDLE_FILES:
        if required not in files:
            raise BundleError(f"{name}: {required} is absent from the bundle")
    model_digest = digest_bytes(files["model.onnx"])
    if digest is not None and model_digest != digest:
        raise BundleError(f"{name}/model.onnx: digest {model_digest}, expected {digest}")
    try:
        manifest = ModelManifest.from_bytes(files["manifest.json"], name=f"{name}/manifest.json")
    except RecordError as error:
        raise BundleError(str(error)) from error
    if model_digest != manifest.model_digest:
        raise BundleError(
            f"{name}/model.onnx: digest {model_digest}, the manifest states {manifest.model_digest}"
        )
    # Compared as bytes: a later version of FeatureSchema may write the same schema otherwise.
    schema_digest = digest_bytes(files["schema.json"])
    if schema_digest != manifest.feature_schema_digest:
        raise BundleError(
            f"{name}/schema.json: digest {schema_digest}, "
            f"the manifest states {manifest.feature_schema_digest}"
        )
    schema = _schema(files["schema.json"], name=f"{name}/schema.json")
    _check_complete(schema, manifest, name=name)
    scorer = Scorer(
        files["model.onnx"],
        n_features=len(schema.features),
        n_scores=len(schema.classes or ()) if schema.task == "classification" else 1,
        name=f"{name}/model.onnx",
    )
    return Bundle(schema, manifest, scorer)


def write_bundle(
    path: Path, onnx_bytes: bytes, schema: FeatureSchema, manifest: ModelManifest
) -> None:
    """Write a bundle's folder whole or not at all: temporary name, fsync, rename.

    Args:
        path: the folder to make; it must not exist, or be an empty folder.
        onnx_bytes: the model.
        schema: the model's schema, complete with categories and classes.
        manifest: states the digests of both.

    Raises:
        BundleError: the documents do not fit together, or the folder cannot be written.
    """
    if digest_bytes(onnx_bytes) != manifest.model_digest:
        raise BundleError(f"{path}/model.onnx: its digest is not the one the manifest states")
    schema_bytes = canonical_json(schema.model_dump(mode="json"))
    if digest_bytes(schema_bytes) != manifest.feature_schema_digest:
        raise BundleError(f"{path}/schema.json: its digest is not the one the manifest states")
    _check_complete(schema, manifest, name=str(path))
    contents = (onnx_bytes, schema_bytes, manifest.to_bytes())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            for name, content in zip(BUNDLE_FILES, contents, strict=True):
                _write_durably(partial / name, content)
            partial.chmod(0o755)  # mkdtemp's 0700 would lock out the user that serves
            _sync_folder(partial)
            partial.rename(path)
            _sync_folder(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"the bundle {path} cannot be written: {error.strerror}") from error


def _schema(data: bytes, *, name: str) -> FeatureSchema:
    try:
        return FeatureSchema.model_validate(parse_json(data, name=name))
    except RecordError as error:
        raise BundleError(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise BundleError(f"{name}: not a schema: {where}: {first['msg']}") from error


def _check_complete(schema: FeatureSchema, manifest: ModelManifest, *, name: str) -> None:
    """Refuse a schema that leaves the encoding undefined, and a model that failed its gate."""
    if schema.task is None or schema.target is None:
        raise BundleError(f"{name}/schema.json: a model's schema names its task and target")
    if schema.task == "classification" and not schema.classes:
        raise BundleError(f"{name}/schema.json: a classification's schema lists its classes")
    for feature in schema.features:
        if feature.kind == "category" and feature.categories is None:
            raise BundleError(
                f"{name}/schema.json: category {feature.name!r} lists no categories, "
                "so its codes are undefined"
            )
    parity = manifest.parity
    if parity.label_differences or parity.max_difference > parity.tolerance:
        raise BundleError(
            f"{name}/manifest.json: the model failed its parity gate ({parity.label_differences} "
            f"labels differ, largest difference {parity.max_difference:.1e})"
        )


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
