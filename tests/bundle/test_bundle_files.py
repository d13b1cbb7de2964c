"""A bundle is read as it was written, or refused by the name of the file at fault."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from modelwarrant.bundle import open_bundle, read_bundle, write_bundle
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import BundleError
from modelwarrant.windows import FeatureSchema
from tests.bundle.made_bundle import fitted_model, manifest_of, window_of

FITTED = fitted_model()
SCHEMA = FITTED.schema
FILES = ("model.onnx", "schema.json", "manifest.json")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A bundle's folder."""
    folder = tmp_path / "candidate"
    write_bundle(folder, FITTED.onnx, SCHEMA, manifest_of(FITTED.onnx, SCHEMA, FITTED))
    return folder


def with_model(folder: Path, model: onnx.ModelProto | bytes) -> Path:
    """Put another model in the folder, with a manifest that states its digest."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest_of(data, SCHEMA, FITTED).to_bytes())
    return folder


def passing(
    *, read: str = "rows", give: str = "scores", width: int = 6, kind: int = TensorProto.DOUBLE
) -> onnx.ModelProto:
    """Return a model that gives back its first two columns."""
    columns = helper.make_tensor("columns", TensorProto.INT64, [2], [0, 1])
    graph = helper.make_graph(
        [helper.make_node("Gather", [read, "columns"], [give], axis=1)],
        "passing",
        [helper.make_tensor_value_info(read, kind, [None, width])],
        [helper.make_tensor_value_info(give, kind, [None, 2])],
        [columns],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])


def test_what_was_written_is_read(written: Path) -> None:
    """Schema, manifest, digest and answers come back."""
    bundle = read_bundle(written, digest=digest_bytes(FITTED.onnx))

    assert SCHEMA == bundle.schema
    assert digest_bytes(FITTED.onnx) == bundle.digest
    assert ("no", "yes") == bundle.predict(window_of()).classes
    assert set(FILES) == {path.name for path in written.iterdir()}


@pytest.mark.parametrize("name", FILES)
def test_an_absent_file_is_named(written: Path, name: str) -> None:
    """Each of the three files is needed."""
    (written / name).unlink()

    with pytest.raises(BundleError, match=f"{name}: No such file"):
        read_bundle(written)
    with pytest.raises(BundleError, match=f"blobs: {name} is absent"):
        open_bundle({path.name: path.read_bytes() for path in written.iterdir()}, name="blobs")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: data[1:], lambda data: b"", lambda data: data + b"}"],
    ids=["cut", "beheaded", "empty", "longer"],
)
def test_damage_is_refused(written: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    """A damaged file is refused by its name."""
    (written / name).write_bytes(damage((written / name).read_bytes()))

    with pytest.raises(BundleError, match=name):
        read_bundle(written)


@pytest.mark.parametrize("name", ["model.onnx", "schema.json"])
def test_every_bit_of_a_covered_file_counts(written: Path, name: str) -> None:
    """One flipped bit anywhere in the model or the schema is refused."""
    data = (written / name).read_bytes()
    for place in np.linspace(0, len(data) - 1, 20).astype(int).tolist():
        altered = bytearray(data)
        altered[place] ^= 1
        (written / name).write_bytes(bytes(altered))

        with pytest.raises(BundleError, match=name):
            read_bundle(written)


def test_another_digest_than_asked_for_is_refused(written: Path) -> None:
    """Who knows a digest gets that model or none."""
    with pytest.raises(BundleError, match=r"model.onnx: digest .*expected sha256:0"):
        read_bundle(written, digest="sha256:" + "0" * 64)


def test_a_manifest_of_another_model_is_refused(written: Path) -> None:
    """The manifest states the digest of the model beside it."""
    other = manifest_of(b"other", SCHEMA, FITTED)
    (written / "manifest.json").write_bytes(other.to_bytes())

    with pytest.raises(BundleError, match=r"model.onnx: digest .*the manifest states"):
        read_bundle(written)


def test_data_beside_the_model_is_refused(written: Path) -> None:
    """A model whose weights lie in another file is never loaded."""
    model = passing()
    tensor = model.graph.initializer[0]
    tensor.ClearField("int64_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")

    with pytest.raises(BundleError, match=r"model.onnx: the model refers to data outside"):
        read_bundle(with_model(written, model))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"no model", "not a model that can be loaded"),
        (passing(read="x"), "the model reads"),
        (passing(width=5), "the model reads"),
        (passing(kind=TensorProto.FLOAT), "the model reads"),
        (passing(give="y"), "the model gives"),
    ],
)
def test_another_interface_is_refused(
    written: Path, model: onnx.ModelProto | bytes, message: str
) -> None:
    """A model reads ``rows`` and gives ``scores``, double, as wide as the schema."""
    with pytest.raises(BundleError, match=f"model.onnx: {message}"):
        read_bundle(with_model(written, model))


def test_answers_that_are_no_probabilities_are_refused(written: Path) -> None:
    """A model that gives back its input is loaded, and refused when it answers."""
    bundle = read_bundle(with_model(written, passing()))

    with pytest.raises(BundleError, match=r"answer for row 0 is no probability"):
        bundle.predict_rows(np.array([[0.5, 0.7, 0.0, 0.0, 0.0, 0.0]]))
    with pytest.raises(BundleError, match="no finite answer for row 0"):
        bundle.predict_rows(np.array([[np.nan, 0.7, 0.0, 0.0, 0.0, 0.0]]))


def changed(**more: object) -> FeatureSchema:
    """Return the schema with other fields."""
    return SCHEMA.model_copy(update=more)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (changed(task=None), "names its task and target"),
        (changed(classes=None), "lists its classes"),
        (
            changed(features=(SCHEMA.feature("colour").model_copy(update={"categories": None}),)),
            "category 'colour' lists no categories",
        ),
    ],
)
def test_a_schema_that_leaves_the_encoding_open_is_refused(
    tmp_path: Path, schema: FeatureSchema, message: str
) -> None:
    """Codes mean nothing without the list that they point into."""
    with pytest.raises(BundleError, match=f"schema.json: .*{message}"):
        write_bundle(tmp_path / "b", FITTED.onnx, schema, manifest_of(FITTED.onnx, schema, FITTED))


def test_a_model_that_failed_parity_is_refused(tmp_path: Path) -> None:
    """A manifest that admits differing labels is not written."""
    failed = FITTED.parity.model_copy(update={"label_differences": 3})
    manifest = manifest_of(FITTED.onnx, SCHEMA, FITTED, parity=failed)

    with pytest.raises(BundleError, match=r"manifest.json: the model failed its parity gate"):
        write_bundle(tmp_path / "b", FITTED.onnx, SCHEMA, manifest)


def test_a_full_folder_is_not_overwritten(written: Path) -> None:
    """A bundle never replaces another, and leaves nothing half-written behind."""
    with pytest.raises(BundleError, match="cannot be written"):
        write_bundle(written, FITTED.onnx, SCHEMA, manifest_of(FITTED.onnx, SCHEMA, FITTED))

    assert ["candidate"] == [path.name for path in written.parent.iterdir()]


def test_loading_a_bundle_needs_no_training_library() -> None:
    """Serving loads neither scikit-learn nor pandas, scipy, skl2onnx or onnx."""
    program = (
        "import sys, modelwarrant.bundle; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'sklearn', 'pandas', 'scipy', 'skl2onnx', 'onnx', 'joblib'}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "[]" == found.stdout.strip()


def test_a_model_is_read_where_no_file_can_be_in_memory(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without such files, or a sandbox that forbids them, costs memory and no answer."""

    def refuse(name: str) -> int:
        raise PermissionError(name)

    there = read_bundle(written).predict(window_of())
    monkeypatch.setattr("os.memfd_create", refuse, raising=False)

    assert (there.values == read_bundle(written).predict(window_of()).values).all()
