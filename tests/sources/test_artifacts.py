"""Windows and splits as files between stages."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelwarrant.errors import RecordError, SourceError, StoreError
from modelwarrant.sources import (
    load_final,
    load_training,
    load_window,
    save_final,
    save_training,
    save_window,
)
from modelwarrant.windows import (
    FeatureSchema,
    FinalSplit,
    TrainingSplit,
    Window,
    split,
    typed_window,
    window_digest,
)


@pytest.fixture
def window(schema: FeatureSchema) -> Window:
    """Forty rows with every kind of column and some missing values."""
    rows = 40
    return typed_window(
        pa.table(
            {
                "at": pa.array(np.arange(rows) * 1_000_000, pa.timestamp("us", tz="UTC")),
                "price": [None if row % 7 == 0 else row / 3 for row in range(rows)],
                "plan": [None if row % 5 == 0 else f"p{row % 3}" for row in range(rows)],
                "is_new": [row % 2 == 0 for row in range(rows)],
                "label": ["yes" if row % 3 == 0 else "no" for row in range(rows)],
            }
        ),
        schema,
    )


def test_a_window_comes_back_with_its_schema(tmp_path: Path, window: Window) -> None:
    """The same rows, the same schema, the same digest."""
    save_window(tmp_path / "w", window)

    loaded = load_window(tmp_path / "w")

    assert window.schema == loaded.schema
    assert window_digest(window) == window_digest(loaded)
    assert window.order.tolist() == loaded.order.tolist()


def test_splits_come_back_as_what_they_are(tmp_path: Path, window: Window) -> None:
    """A training split is loaded as one, and a final split as one."""
    train, final = split(window, final=0.3)
    save_training(tmp_path / "t", train)
    save_final(tmp_path / "f", final)

    loaded_train, loaded_final = load_training(tmp_path / "t"), load_final(tmp_path / "f")

    assert isinstance(loaded_train, TrainingSplit)
    assert isinstance(loaded_final, FinalSplit)
    assert window_digest(train.window) == window_digest(loaded_train.window)
    assert window_digest(final.window) == window_digest(loaded_final.window)


@pytest.mark.parametrize("load", [load_window, load_training])
def test_a_final_split_is_for_evaluation_alone(
    tmp_path: Path, window: Window, load: object
) -> None:
    """No other loader opens a file that was saved as final."""
    save_final(tmp_path / "f", split(window, final=0.3)[1])

    with pytest.raises(RecordError, match="holds a final split, which only evaluation may read"):
        load(tmp_path / "f")  # type: ignore[operator]  # one of the two loaders


@pytest.mark.parametrize("load", [load_window, load_final])
def test_a_training_split_is_for_training_alone(
    tmp_path: Path, window: Window, load: object
) -> None:
    """A training split judges nothing, and is no whole window."""
    save_training(tmp_path / "t", split(window, final=0.3)[0])

    with pytest.raises(RecordError, match="holds a training split"):
        load(tmp_path / "t")  # type: ignore[operator]  # one of the two loaders


def test_the_same_window_gives_the_same_bytes(tmp_path: Path, window: Window) -> None:
    """Equal rows in other chunks and dictionaries are written alike."""
    pieces = [window.take(np.arange(0, 11)).table, window.take(np.arange(11, 40)).table]
    save_window(tmp_path / "one", window)
    save_window(tmp_path / "two", Window(window.schema, pa.concat_tables(pieces)))

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_window_without_a_target_is_kept(tmp_path: Path, window: Window) -> None:
    """Rows to predict have no target column."""
    bare = Window(window.schema, window.table.drop_columns(["label"]))
    save_window(tmp_path / "w", bare)

    assert not load_window(tmp_path / "w").has_target


def test_nothing_but_the_file_is_left_behind(tmp_path: Path, window: Window) -> None:
    """The temporary name is gone, and an older file is replaced."""
    save_window(tmp_path / "w", window)
    save_window(tmp_path / "w", window)

    assert ["w"] == [path.name for path in tmp_path.iterdir()]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, window: Window) -> None:
    """A place that cannot be written to is an error of ours, with the path."""
    with pytest.raises(StoreError, match="none/w: cannot be written"):
        save_window(tmp_path / "none" / "w", window)


def test_an_absent_artifact_is_named(tmp_path: Path) -> None:
    """A stage that finds no input says which."""
    with pytest.raises(SourceError, match="w: no such file"):
        load_window(tmp_path / "w")


def test_a_damaged_artifact_is_named(tmp_path: Path, window: Window) -> None:
    """Half a file is damaged, not short."""
    save_window(tmp_path / "w", window)
    data = (tmp_path / "w").read_bytes()
    (tmp_path / "w").write_bytes(data[: len(data) // 2])

    with pytest.raises(SourceError, match="w: damaged"):
        load_window(tmp_path / "w")


def test_a_parquet_file_of_somebody_else_is_no_artifact(tmp_path: Path) -> None:
    """A source is not taken for a window that was read and typed."""
    pq.write_table(pa.table({"x": [1.0]}), tmp_path / "w")

    with pytest.raises(RecordError, match="not written by modelwarrant"):
        load_window(tmp_path / "w")


def test_columns_other_than_the_schemas_are_refused(tmp_path: Path, window: Window) -> None:
    """A file whose columns and schema disagree was tampered with."""
    save_window(tmp_path / "w", window)
    table = pq.read_table(tmp_path / "w")
    pq.write_table(table.drop_columns(["price"]), tmp_path / "w")

    with pytest.raises(RecordError, match="its columns are not those of the schema"):
        load_window(tmp_path / "w")
