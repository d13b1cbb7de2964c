"""``drift.compare``: any two windows in, one report out, whatever their order, form or faults."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.errors import SchemaMismatchError
from modelwarrant.records import DriftReport
from modelwarrant.windows import Feature, FeatureSchema, Predictions, typed_window, window_digest

ROWS = 800


def frame(seed: int, *, rows: int = ROWS, shift: float = 0.0) -> pd.DataFrame:
    """Return a window with a column of every kind and some missing values."""
    random = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "price": random.lognormal(0, 1, rows) + shift,
            "rooms": random.integers(1, 8, rows),
            "town": random.choice(["oslo", "bergen", "tromsø"], rows, p=[0.5, 0.3, 0.2]),
            "is_new": random.random(rows) < 0.3,
            "sold": pd.date_range("2024-01-01", periods=rows, freq="h"),
        }
    )
    data.loc[random.random(rows) < 0.05, ["price", "town"]] = None
    return data


def gate_levels(report: DriftReport) -> set[tuple[str, str | None, str]]:
    """Return the findings beyond ``ok``."""
    return {(g.gate, g.column, g.level) for g in report.gates if g.level != "ok"}


def test_the_report_has_the_promised_json() -> None:
    """The names of interface.md, in the schema's order, with null for what is undefined."""
    report = json.loads(drift.compare(frame(1), frame(2)).to_bytes())
    promised = {
        "name", "kind", "level", "psi", "psi_p_value", "ks", "wasserstein", "jensen_shannon",
        "method", "missing_reference", "missing_current", "unseen_share", "reason",
    }  # fmt: skip

    assert {"n_reference", "n_current", "level", "features", "joint", "gates"} <= set(report)
    assert all(promised <= set(feature) for feature in report["features"])
    assert ["price", "rooms", "town", "is_new", "sold"] == [f["name"] for f in report["features"]]
    assert ["number", "number", "category", "boolean", "time"] == [
        f["kind"] for f in report["features"]
    ]
    assert report["features"][2]["ks"] is None


def test_no_drift_is_none_and_every_gate_ran() -> None:
    """The level, a quiet joint detector, and one entry a gate."""
    report = drift.compare(frame(1), frame(2))

    assert ("none", "none") == (report.level, report.joint.level)
    assert {"G1", "G2", "G3", "G4"} == {gate.gate for gate in report.gates}
    assert set() == gate_levels(report)


def test_a_report_survives_its_bytes() -> None:
    """It is a record like any other."""
    report = drift.compare(frame(1), frame(2, shift=1.0))

    assert report == DriftReport.from_bytes(report.to_bytes(), name="drift.json")


def test_row_order_changes_no_byte() -> None:
    """Shuffled windows give the same report."""
    current = frame(2, shift=0.5)
    shuffled = current.sample(frac=1.0, random_state=3)
    report = drift.compare(frame(1), current)

    assert report.to_bytes() == drift.compare(frame(1).iloc[::-1], shuffled).to_bytes()


@pytest.mark.parametrize(
    "form",
    [
        pa.Table.from_pandas,
        lambda data: pa.Table.from_pandas(data).to_batches(max_chunksize=97),
        lambda data: data.astype({"town": "category"}),
        lambda data: data.astype({"rooms": "float64", "is_new": "object", "town": "object"}),
        lambda data: data.convert_dtypes(),
    ],
    ids=["arrow", "chunks", "categorical", "objects", "nullable"],
)
def test_the_form_of_a_window_changes_no_byte(form: object) -> None:
    """Frames, Arrow tables, dictionaries and chunks hold the same values."""
    other = form(frame(2))
    if isinstance(other, list):
        other = pa.Table.from_batches(other)

    assert drift.compare(frame(1), frame(2)).to_bytes() == drift.compare(frame(1), other).to_bytes()


def test_windows_are_named_by_their_own_digest() -> None:
    """What the report says it compared is what the run recorded."""
    schema = FeatureSchema(
        features=(Feature(name="price", kind="number"), Feature(name="town", kind="category")),
        task="regression",
        target="rooms",
        time="sold",
    )
    windows = [typed_window(pa.Table.from_pandas(frame(seed)), schema) for seed in (1, 2)]
    report = drift.compare(*windows)

    assert [window_digest(w) for w in windows] == [report.reference_digest, report.current_digest]
    assert schema.digest == report.schema_digest
    assert ["price", "town"] == [feature.name for feature in report.features]


def test_a_schema_says_which_columns_count() -> None:
    """Everything else in the data is ignored by name; kinds are the schema's."""
    schema = FeatureSchema(features=(Feature(name="rooms", kind="category"),))
    report = drift.compare(frame(1), frame(2, shift=9.0), schema)

    assert [("rooms", "category")] == [(f.name, f.kind) for f in report.features]
    assert "none" == report.level


class TestColumnsThatDoNotFit:
    """G1 on the schema: a finding, not a traceback."""

    @pytest.mark.parametrize("window", ["reference", "current"])
    def test_a_column_in_one_window_only_blocks(self, window: str) -> None:
        """Its feature is listed, and the others are still compared."""
        full, short = frame(1), frame(2).drop(columns="rooms")
        pair = (short, full) if window == "reference" else (full, short)
        report = drift.compare(*pair)
        entry = {feature.name: feature for feature in report.features}["rooms"]

        assert "blocked" == report.level
        assert ("G1", "rooms", "block") in gate_levels(report)
        assert ("blocked", None) == (entry.level, entry.psi)
        assert 1.0 == (entry.missing_reference if window == "reference" else entry.missing_current)
        assert "none" == {f.name: f.level for f in report.features}["town"]

    def test_a_column_of_another_type_blocks(self) -> None:
        """The finding says which row does not parse."""
        current = frame(2).astype({"rooms": "object"})
        current.loc[5, "rooms"] = "many"
        report = drift.compare(frame(1), current)
        details = [gate.detail for gate in report.gates if gate.column == "rooms"]

        assert "blocked" == report.level
        assert "cannot be read as number" in details[0]
        assert "row 5" in details[0]

    def test_windows_of_other_schemas_are_compared_where_they_agree(self) -> None:
        """A feature that changed its kind between two runs blocks."""
        schemas = [
            FeatureSchema(
                features=(Feature(name="rooms", kind=kind), Feature(name="price", kind="number"))
            )
            for kind in ("number", "category")
        ]
        report = drift.compare(
            *(
                typed_window(pa.Table.from_pandas(frame(seed)), schema)
                for seed, schema in enumerate(schemas)
            )
        )

        assert "blocked" == report.level
        assert ("G1", "rooms", "block") in gate_levels(report)

    @pytest.mark.parametrize(
        ("reference", "current", "message"),
        [
            (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), "no column can be compared"),
            (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]}), "'a' cannot be read as number"),
            (pd.DataFrame(), pd.DataFrame(), "has no column"),
            (pd.DataFrame({"": [1]}), pd.DataFrame({"": [1]}), "has no name"),
            (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"a": [1]}), "stands twice"),
            (pa.table({"a": [[1]]}), pa.table({"a": [[1]]}), "'a' of the reference window holds"),
            ([1, 2], [1, 2], "reference window is a list"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_windows_that_share_nothing_are_refused(
        self, reference: object, current: object, message: str
    ) -> None:
        """One error that says what to do."""
        with pytest.raises(SchemaMismatchError, match=message):
            drift.compare(reference, current)


class TestFaults:
    """No fault in the data is a crash, and none is 'no drift'."""

    @pytest.mark.parametrize(
        ("column", "values", "level"),
        [
            ("price", np.nan, "blocked"),
            ("price", np.inf, "blocked"),
            ("price", 7.0, "blocked"),
            ("town", None, "blocked"),
            ("town", "atlantis", "blocked"),
            ("rooms", 10**9, "blocked"),
        ],
    )
    def test_a_column_gone_wrong_blocks(self, column: str, values: object, level: str) -> None:
        """Missing, infinite, stuck or unknown throughout."""
        current = frame(2)
        current[column] = values
        report = drift.compare(frame(1), current)

        assert level == report.level
        assert level == {f.name: f.level for f in report.features}[column]

    @pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 9), (9, 0), (1, 1), (1, 800), (499, 800)])
    def test_short_windows_are_unknown_or_blocked(self, n: int, m: int) -> None:
        """An empty window blocks; a short one cannot show that nothing drifts."""
        report = drift.compare(frame(1, rows=n), frame(2, rows=m))

        assert ("unknown" if n and m else "blocked") == report.level

    @pytest.mark.parametrize(
        "values",
        [[1e308, -1e308] * 400, [5e-324, 0.0] * 400, [2**60, 2**60 + 1024] * 400, [np.nan] * 800],
        ids=["huge", "subnormal", "large integers", "missing"],
    )
    @pytest.mark.filterwarnings("error")
    def test_extreme_values_raise_and_warn_nothing(self, values: list[float]) -> None:
        """Undefined numbers are null with a reason."""
        data = pd.DataFrame({"x": values, "y": np.arange(800.0)})
        report = drift.compare(data, data)

        assert "none" == report.level

    def test_mixed_objects_are_read_as_text(self) -> None:
        """A column of numbers and words is a category."""
        data = pd.DataFrame({"x": [1, "a", None, 2.5] * 200})

        assert "category" == drift.compare(data, data).features[0].kind

    def test_a_duplicate_row_is_noticed_and_leaves_the_level(self) -> None:
        """It is a notice of G1, which is for reading."""
        current = pd.concat([frame(2), frame(2).head(3)])
        report = drift.compare(frame(1), current)

        assert ("G1", None, "notice") in gate_levels(report)
        assert "none" == report.level


class TestLevels:
    """The worst finding is the report's level."""

    def test_drift_is_found_beside_features_that_are_unknown(self) -> None:
        """A feature with few values hides nothing."""
        reference, current = frame(1), frame(2, shift=3.0)
        for data in (reference, current):
            data.loc[data.index[100:], "rooms"] = None
        report = drift.compare(reference, current)
        levels = {feature.name: feature.level for feature in report.features}

        assert ("unknown", "drift") == (levels["rooms"], levels["price"])
        assert "drift" == report.level

    def test_a_report_of_instants_only_is_unknown(self) -> None:
        """Nothing was judged."""
        assert "unknown" == drift.compare(frame(1)[["sold"]], frame(2)[["sold"]]).level

    def test_a_warning_of_a_gate_is_a_notice(self) -> None:
        """Five points more missing values."""
        current = frame(2).astype({"is_new": "object"})
        current.loc[current.index[:50], "is_new"] = None
        report = drift.compare(frame(1), current)

        assert ("G2", "is_new", "warn") in gate_levels(report)
        assert "notice" == report.level

    def test_a_joint_shift_alone_is_the_level(self) -> None:
        """Two columns that were independent became one."""
        reference, current = (
            pd.DataFrame(np.random.default_rng(seed).normal(size=(2000, 2)), columns=["a", "b"])
            for seed in (1, 2)
        )
        current["b"] = current["a"] + 0.001 * current["b"]
        report = drift.compare(reference, current)

        assert {"none"} == {feature.level for feature in report.features}
        assert "drift" == report.level

    def test_predictions_alone_are_the_level(self) -> None:
        """The model's answers moved."""
        random = np.random.default_rng(1)
        scores = tuple(
            Predictions("regression", random.normal(shift, 1.0, ROWS)) for shift in (0.0, 1.0)
        )
        report = drift.compare(
            frame(1), frame(2), scores=scores, production_digest="sha256:" + "0" * 64
        )

        assert report.predictions is not None
        assert ("drift", "drift") == (report.level, report.predictions.level)
        assert "sha256:" + "0" * 64 == report.production_digest


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, float("nan")])
def test_alpha_must_be_a_probability(alpha: float) -> None:
    """The error names it."""
    with pytest.raises(ValueError, match="alpha is"):
        drift.compare(frame(1), frame(2), alpha=alpha)


def test_drift_needs_none_of_the_extras() -> None:
    """It imports without kfp, minio, kubernetes and FastAPI."""
    program = (
        "import sys\n"
        "for name in ('kfp', 'minio', 'kubernetes', 'fastapi'):\n"
        "    sys.modules[name] = None\n"
        "from modelwarrant import drift\n"
        "print(drift.compare.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "compare\n" == done.stdout
