"""Reading Parquet files, globs of files and file:// addresses."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelwarrant.errors import SchemaMismatchError, SourceError
from modelwarrant.sources import batches, read_table, read_window, source_digest
from modelwarrant.windows import Feature, FeatureSchema, parse_bounds

Write = Callable[[str, str], Path]

TIMED = FeatureSchema(features=(Feature(name="x", kind="number"),), time="at")


def save(path: Path, rows: int, *, start: int = 0, row_group: int = 1000) -> None:
    """Write rows of one second each, from a second on."""
    seconds = np.arange(start, start + rows)
    table = pa.table(
        {
            "at": pa.array(seconds * 1_000_000, pa.timestamp("us", tz="UTC")),
            "x": seconds.astype(float),
            "junk": ["a"] * rows,
        }
    )
    pq.write_table(table, path, row_group_size=row_group)


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a", None, "b"]).dictionary_encode(),
        pa.array(["a", None, "b"], pa.large_string()),
        pa.array(["a", "", "b"]),
    ],
)
def test_every_encoding_of_text_gives_the_same_levels(tmp_path: Path, values: pa.Array) -> None:
    """Dictionaries, large texts and empty texts are read alike; an empty text is missing."""
    schema = FeatureSchema(features=(Feature(name="c", kind="category", missing=True),))
    pq.write_table(pa.table({"c": values}), tmp_path / "c.parquet")

    window, _ = read_window("c.parquet", schema, None, base=tmp_path, final=0.3)

    assert [0, -1, 1] == window.levels("c")[0].tolist()


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None, 3], pa.int16()),
        pa.array([1.0, float("nan"), 3.0], pa.float32()),
        pa.array(["1", "NA", "3"]),
    ],
)
def test_every_type_of_number_gives_the_same_values(tmp_path: Path, values: pa.Array) -> None:
    """Integers, short floats and numbers kept as text are read alike; NaN is missing."""
    schema = FeatureSchema(features=(Feature(name="n", kind="number", missing=True),))
    pq.write_table(pa.table({"n": values}), tmp_path / "n.parquet")

    window, _ = read_window("n.parquet", schema, None, base=tmp_path, final=0.3)

    assert ["1.0", "nan", "3.0"] == [str(value) for value in window.numbers("n")]
    assert 1 == window.table.column("n").null_count


def test_a_dot_in_a_columns_name_is_no_path(tmp_path: Path) -> None:
    """pm2.5 is a column, not a field of pm2."""
    schema = FeatureSchema(features=(Feature(name="pm2.5", kind="number"),))
    pq.write_table(pa.table({"pm2": [1.0], "pm2.5": [2.0]}), tmp_path / "d.parquet")

    window, _ = read_window("d.parquet", schema, None, base=tmp_path, final=0.3)

    assert [2.0] == window.numbers("pm2.5").tolist()


def test_row_groups_outside_the_bounds_are_not_read(tmp_path: Path) -> None:
    """A damaged row group is not noticed by a window that lies elsewhere."""
    path = tmp_path / "g.parquet"
    save(path, 3000)
    column = pq.ParquetFile(path).metadata.row_group(2).column(1)
    with path.open("r+b") as file:
        file.seek(column.data_page_offset)
        file.write(b"\xff" * 64)

    window, ref = read_window(
        "g.parquet",
        TIMED,
        parse_bounds("1970-01-01T00:10..1970-01-01T00:20"),
        base=tmp_path,
        final=0.3,
    )

    assert list(range(600, 1200)) == window.numbers("x").tolist()
    assert "1970-01-01T00:10:00Z..1970-01-01T00:20:00Z" == ref.bounds
    with pytest.raises(SourceError, match=r"g\.parquet: the Parquet file is damaged"):
        read_window("g.parquet", TIMED, None, base=tmp_path, final=0.3)


def test_row_groups_are_read_one_at_a_time(tmp_path: Path) -> None:
    """A batch is no larger than a row group."""
    save(tmp_path / "g.parquet", 5000, row_group=1000)

    sizes = [len(window) for window in batches("g.parquet", TIMED, base=tmp_path)]

    assert [1000] * 5 == sizes


@pytest.mark.parametrize("keep", [4, 8, 40, 500])
def test_a_truncated_parquet_file_is_named(tmp_path: Path, keep: int) -> None:
    """A file without its footer is no data."""
    path = tmp_path / "cut.parquet"
    save(path, 10)
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(SourceError, match=r"cut\.parquet"):
        read_window("cut.parquet", TIMED, None, base=tmp_path, final=0.3)


def test_a_nested_column_cannot_be_read_as_a_number(tmp_path: Path) -> None:
    """A list is no number, and the file and column are named."""
    pq.write_table(pa.table({"x": [[1.0], [2.0]]}), tmp_path / "l.parquet")
    schema = FeatureSchema(features=(Feature(name="x", kind="number"),))

    with pytest.raises(
        SchemaMismatchError, match=r"l\.parquet: column 'x' cannot be read as number"
    ):
        read_window("l.parquet", schema, None, base=tmp_path, final=0.3)


def test_a_glob_is_read_sorted_by_name(write: Write, rows_schema: FeatureSchema) -> None:
    """Files follow each other by name, and every one is recorded."""
    write("d-2.csv", "x\n3\n4\n")
    path = write("d-1.csv", "x\n1\n2\n")

    window, ref = read_window("d-*.csv", rows_schema, None, base=path.parent, final=0.3)

    assert [1.0, 2.0, 3.0, 4.0] == window.numbers("x").tolist()
    assert ["d-1.csv", "d-2.csv"] == [file.uri for file in ref.files]
    assert "0:4" == ref.bounds


def test_rows_are_cut_across_the_files_of_a_glob(write: Write, rows_schema: FeatureSchema) -> None:
    """Row numbers run on from file to file."""
    write("d-2.csv", "x\n3\n4\n")
    path = write("d-1.csv", "x\n1\n2\n")

    window, _ = read_window(
        "d-*.csv", rows_schema, parse_bounds("1:3"), base=path.parent, final=0.3
    )

    assert [2.0, 3.0] == window.numbers("x").tolist()
    assert [1, 2] == window.order.tolist()


def test_csv_and_parquet_may_stand_side_by_side(write: Write, tmp_path: Path) -> None:
    """A glob may mix formats: files are told apart by their first bytes."""
    write("a.csv", "at,x,junk\n1970-01-01T00:00:00Z,0,a\n")
    save(tmp_path / "b.data", 2, start=1)

    window, _ = read_window("*.*", TIMED, None, base=tmp_path, final=0.3)

    assert [0.0, 1.0, 2.0] == window.numbers("x").tolist()


def test_a_file_that_lacks_a_column_is_named(write: Write, rows_schema: FeatureSchema) -> None:
    """The file of a glob that differs is named, not the first one."""
    write("d-1.csv", "x,y\n1,2\n")
    path = write("d-2.csv", "z,y\n3,4\n")

    with pytest.raises(SchemaMismatchError, match=r"d-2\.csv: has no column 'x'"):
        read_window("d-*.csv", rows_schema, None, base=path.parent, final=0.3)


def test_a_column_that_changed_its_type_is_named(tmp_path: Path) -> None:
    """Text in one Parquet file and numbers in another are not mixed."""
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "p-1.parquet")
    pq.write_table(pa.table({"x": ["1", "2"]}), tmp_path / "p-2.parquet")
    schema = FeatureSchema(features=(Feature(name="x", kind="number"),))

    with pytest.raises(SchemaMismatchError, match=r"p-2\.parquet: column 'x' is string, but int64"):
        read_window("p-*.parquet", schema, None, base=tmp_path, final=0.3)


def test_integers_and_floats_are_one_type_of_number(tmp_path: Path) -> None:
    """A writer such as pandas puts integers as floats in a day that has a missing value."""
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "p-1.parquet")
    pq.write_table(pa.table({"x": [1.5, None]}), tmp_path / "p-2.parquet")
    schema = FeatureSchema(features=(Feature(name="x", kind="number", missing=True),))

    window, _ = read_window("p-*.parquet", schema, None, base=tmp_path, final=0.3)

    assert 4 == len(window)


def test_a_table_of_a_glob_needs_the_same_columns(write: Write) -> None:
    """Without a schema a file with another column is refused."""
    write("d-1.csv", "x,y\n1,2\n")
    path = write("d-2.csv", "x,y,new\n3,4,5\n")

    with pytest.raises(SchemaMismatchError, match=r"d-2\.csv: has a column 'new'"):
        read_table("d-*.csv", base=path.parent)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "no such file"),
        ("none-*.csv", "no file matches"),
        (".", "is a folder"),
        ("", "is a folder|is empty"),
        ("ftp://host/x.csv", "ftp:// is not read"),
        ("file://host/x.csv", "write file:///"),
        ("a\0b", "is empty"),
    ],
)
def test_a_source_that_names_nothing_is_refused(
    tmp_path: Path, rows_schema: FeatureSchema, source: str, message: str
) -> None:
    """Each way of naming no file has its own message."""
    with pytest.raises(SourceError, match=message):
        read_window(source, rows_schema, None, base=tmp_path, final=0.3)


def test_a_pipe_is_not_read(tmp_path: Path, rows_schema: FeatureSchema) -> None:
    """Bytes that can be read once only have no digest."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(SourceError, match="not a regular file"):
        read_window("pipe", rows_schema, None, base=tmp_path, final=0.3)


def test_a_file_address_is_read(write: Write, rows_schema: FeatureSchema) -> None:
    """file:// names an absolute path, with escapes."""
    path = write("my rows.csv", "x\n5\n")

    window, _ = read_window(path.as_uri(), rows_schema, None, base=Path("/nowhere"), final=0.3)

    assert [5.0] == window.numbers("x").tolist()


def test_a_name_with_brackets_is_a_name_first(write: Write, rows_schema: FeatureSchema) -> None:
    """A file that exists is read, even where its name could be a glob."""
    path = write("rows[1].csv", "x\n5\n")

    window, _ = read_window("rows[1].csv", rows_schema, None, base=path.parent, final=0.3)

    assert 1 == len(window)


def test_a_relative_path_starts_at_the_project(write: Write, rows_schema: FeatureSchema) -> None:
    """Records name a file relative to the project, the same on every machine."""
    path = write("rows.csv", "x\n5\n")

    _, ref = read_window(str(path), rows_schema, None, base=path.parent, final=0.3)

    assert "rows.csv" == ref.files[0].uri


def test_the_digest_of_a_source_follows_its_bytes(write: Write) -> None:
    """One changed byte in one file of a glob changes the digest."""
    path = write("d-1.csv", "x\n1\n")
    write("d-2.csv", "x\n2\n")
    before = source_digest("d-*.csv", base=path.parent)
    write("d-2.csv", "x\n3\n")

    assert before != source_digest("d-*.csv", base=path.parent)


def test_examples_of_scikit_learn_are_read() -> None:
    """sklearn:// gives the features under their names, and a target."""
    table = read_table("sklearn://breast_cancer", base=Path())

    assert 569 == table.num_rows
    assert ["mean radius", "target"] == [table.column_names[0], table.column_names[-1]]


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits", "diabetes"])
def test_an_example_has_a_stable_digest(name: str) -> None:
    """The same installation gives the same digest twice."""
    source = f"sklearn://{name}"

    assert source_digest(source, base=Path()) == source_digest(source, base=Path())


def test_an_unknown_example_is_refused(tmp_path: Path) -> None:
    """The names there are are listed."""
    with pytest.raises(SourceError, match="no such data set; there are breast_cancer"):
        read_table("sklearn://titanic", base=tmp_path)
