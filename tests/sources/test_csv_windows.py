"""Reading windows from CSV files: values, missing fields and broken files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelwarrant.errors import SchemaMismatchError, SourceError
from modelwarrant.sources import batches, read_table, read_window
from modelwarrant.windows import Feature, FeatureSchema, Window

Write = Callable[[str, str], Path]

HEADER = "at,price,plan,is_new,label\n"


def read(path: Path, schema: FeatureSchema) -> Window:
    """Read every row of a file."""
    return read_window(path.name, schema, None, base=path.parent, final=0.3)[0]


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz"])
def test_each_kind_is_read_from_plain_and_gzipped_files(
    write: Write, schema: FeatureSchema, name: str
) -> None:
    """Numbers, levels, truth values, labels and instants come out typed."""
    path = write(name, HEADER + "2013-01-01 06:00,1.5,basic,true,yes\n2013-01-02,-2,pro,0,no\n")

    window = read(path, schema)

    assert [1.5, -2.0] == window.numbers("price").tolist()
    assert ("basic", "pro") == window.levels("plan")[1]
    assert [1.0, 0.0] == window.numbers("is_new").tolist()
    assert ("no", "yes") == window.levels("label")[1]
    assert 18 * 3600 * 1_000_000 == int(np.diff(window.order)[0])


@pytest.mark.parametrize("text", ["", " ", "NA", "NaN", "nan", "null", "NULL", "None", "N/A"])
def test_a_number_is_missing_where_the_field_says_so(
    write: Write, schema: FeatureSchema, text: str
) -> None:
    """Empty fields and the usual words for nothing are missing numbers and truth values."""
    path = write("day.csv", HEADER + f"2013-01-01,{text},basic,{text},yes\n")

    window = read(path, schema)

    assert np.isnan(window.numbers("price")[0])
    assert np.isnan(window.numbers("is_new")[0])


def test_na_is_a_level_and_an_empty_field_is_missing(write: Write, schema: FeatureSchema) -> None:
    """NA is Namibia in a text column; only an empty field is missing there."""
    path = write(
        "day.csv", HEADER + '2013-01-01,1,NA,1,yes\n2013-01-02,1,,1,no\n2013-01-03,1,"",1,\n'
    )

    window = read(path, schema)

    assert [0, -1, -1] == window.levels("plan")[0].tolist()
    assert ("NA",) == window.levels("plan")[1]
    assert [1, 0, -1] == window.levels("label")[0].tolist()


def test_a_category_keeps_its_leading_zeros(write: Write) -> None:
    """The digits of a category are text: 007 is not 7."""
    schema = FeatureSchema(features=(Feature(name="code", kind="category"),))
    path = write("codes.csv", "code\n007\n7\n")

    assert ("007", "7") == read(path, schema).levels("code")[1]


def test_whole_classes_written_as_floats_are_the_same_labels(write: Write) -> None:
    """A writer such as pandas puts 1 as 1.0 beside missing values; the class stays 1."""
    schema = FeatureSchema(
        features=(Feature(name="x", kind="number"),),
        task="classification",
        target="y",
        classes=("0", "1"),
        class_kind="integer",
    )
    path = write("y.csv", "x,y\n1,1.0\n2,0.0\n3,\n")

    codes, levels = read(path, schema).levels("y")

    assert ("0", "1") == levels
    assert [1, 0, -1] == codes.tolist()


def test_true_and_false_classes_are_read_in_any_case(write: Write) -> None:
    """Python's True and SQL's TRUE are the class true."""
    schema = FeatureSchema(
        features=(Feature(name="x", kind="number"),),
        task="classification",
        target="y",
        classes=("false", "true"),
        class_kind="boolean",
    )
    path = write("y.csv", "x,y\n1,True\n2,FALSE\n")

    assert ("false", "true") == read(path, schema).levels("y")[1]


def test_a_truth_value_written_as_a_float_is_read(write: Write) -> None:
    """1.0 and 0.0 are how pandas writes true and false beside missing values."""
    schema = FeatureSchema(features=(Feature(name="b", kind="boolean", missing=True),))
    path = write("b.csv", "b,c\n1.0,1\n0.0,1\n,1\n")

    assert ["1.0", "0.0", "nan"] == [str(value) for value in read(path, schema).numbers("b")]


def test_only_the_columns_of_the_schema_are_parsed(
    write: Write, rows_schema: FeatureSchema
) -> None:
    """A column that the schema does not name may hold anything, and is recorded as left out."""
    path = write("wide.csv", "junk,x\n???,1\nabc,2\n")

    window, ref = read_window("wide.csv", rows_schema, None, base=path.parent, final=0.3)

    assert ["x", "__order"] == window.table.column_names
    assert ("junk",) == ref.ignored_columns


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_recognised_from_the_header(
    write: Write, rows_schema: FeatureSchema, delimiter: str
) -> None:
    """Semicolons, tabs and bars are told from the header line."""
    path = write("other.csv", f"x{delimiter}y\n1.5{delimiter}2\n")

    assert [1.5] == read(path, rows_schema).numbers("x").tolist()


def test_a_byte_order_mark_and_windows_line_ends_are_dropped(
    write: Write, rows_schema: FeatureSchema
) -> None:
    """A file saved by a spreadsheet has the same columns and rows."""
    path = write("bom.csv", "\ufeffx,y\r\n1,2\r\n3,4\r\n")

    assert [1.0, 3.0] == read(path, rows_schema).numbers("x").tolist()


def test_a_quoted_field_may_hold_commas_and_line_breaks(
    write: Write, schema: FeatureSchema
) -> None:
    """Quotes protect what they hold."""
    path = write("q.csv", HEADER + '2013-01-01,1,"a,\nb",1,yes\n')

    assert ("a,\nb",) == read(path, schema).levels("plan")[1]


def test_a_stray_text_names_column_and_line(write: Write, rows_schema: FeatureSchema) -> None:
    """The line is the file's own, empty lines and quoted breaks counted."""
    path = write("stray.csv", 'x,y\n1,"a\nb"\n\nseven,c\n')

    with pytest.raises(
        SchemaMismatchError, match=r"stray\.csv: column 'x', line 5: 'seven' is not"
    ):
        read(path, rows_schema)


def test_a_bad_truth_value_names_file_column_and_row(write: Write, schema: FeatureSchema) -> None:
    """A field that is neither true nor false is found by its row."""
    path = write("b.csv", HEADER + "2013-01-01,1,a,true,yes\n2013-01-02,1,a,maybe,no\n")

    with pytest.raises(SchemaMismatchError, match=r"b\.csv: column 'is_new' .* row 1 "):
        read(path, schema)


def test_a_row_late_in_a_large_file_is_counted_from_the_files_start(
    write: Write, schema: FeatureSchema
) -> None:
    """Rows are counted over the blocks of a file, not within one."""
    good = "2013-01-01,1,a,true,yes\n" * 250_000
    path = write("large.csv.gz", HEADER + good + "soon,1,a,true,yes\n")

    with pytest.raises(SchemaMismatchError, match="row 250000 does not parse"):
        read(path, schema)


def test_an_absent_column_is_named_with_the_nearest_one(
    write: Write, rows_schema: FeatureSchema
) -> None:
    """A column that vanished or was renamed is named, with what is there."""
    schema = FeatureSchema(features=(Feature(name="price", kind="number"),))
    path = write("p.csv", "prices,y\n1,2\n")

    with pytest.raises(SchemaMismatchError, match=r"no column 'price' \(did you mean 'prices'\?\)"):
        read(path, schema)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ragged.csv", "x,y\n1,2\n3\n", r"line 3 has 1 field\(s\), the header 2"),
        ("doubled.csv", "x,x\n1,2\n", "names 'x' 2 times"),
        ("headless.csv", "1,2\n3,4\n", "first line holds numbers"),
        ("empty.csv", "", "is empty"),
        ("blank.csv", "\n\n", "is empty"),
        ("bare.csv", "x,y\n", "has column names and no row"),
        ("page.csv", "<!DOCTYPE html>\n<p>Sign in</p>", "is a web page"),
        ("rows.json", '{"x": 1}', "is JSON"),
        ("sheet.csv", "PK\x03\x04...", "spreadsheet"),
        ("binary.csv", "x\0y\n", "binary data"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(
    write: Write, rows_schema: FeatureSchema, name: str, text: str, message: str
) -> None:
    """Each way of being no CSV file has its own message."""
    path = write(name, text)

    with pytest.raises(SourceError, match=f"{name}: .*{message}"):
        read(path, rows_schema)


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path: Path, schema: FeatureSchema) -> None:
    """A Latin-1 file is refused where it first differs, not guessed at."""
    path = tmp_path / "latin.csv"
    path.write_bytes(
        (HEADER + "2013-01-01,1,a,1,yes\n2013-01-02,1,caf\xe9,1,no\n").encode("latin-1")
    )

    with pytest.raises(SourceError, match=r"latin\.csv: column 'plan', line 3: not UTF-8"):
        read(path, schema)


def test_utf16_is_named(tmp_path: Path, rows_schema: FeatureSchema) -> None:
    """A file that a spreadsheet saved as Unicode is recognised."""
    path = tmp_path / "wide.csv"
    path.write_bytes("x,y\n1,2\n".encode("utf-16"))

    with pytest.raises(SourceError, match="UTF-16"):
        read(path, rows_schema)


@pytest.mark.parametrize("keep", [12, 200, 3000])
def test_a_truncated_gzip_file_is_damaged_not_short(
    write: Write, rows_schema: FeatureSchema, keep: int
) -> None:
    """A download that broke off never passes for fewer rows."""
    rng = np.random.default_rng(7)
    path = write("cut.csv.gz", "x\n" + "".join(f"{value}\n" for value in rng.normal(size=4000)))
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(SourceError, match=r"cut\.csv\.gz"):
        read(path, rows_schema)


def test_a_row_longer_than_a_block_is_refused(write: Write, rows_schema: FeatureSchema) -> None:
    """A quote left open near the start swallows the file; it is not read as one field."""
    path = write("open.csv", "x,y\n" + "1,2\n" * 1_500_000 + '1,"' + "2\n3," * 2_000_000)

    with pytest.raises(SourceError, match="is a quote left open"):
        read(path, rows_schema)


def test_a_csv_file_is_read_in_bounded_pieces(write: Write, rows_schema: FeatureSchema) -> None:
    """Batches hold a block each and together every row, in order."""
    path = write("long.csv", "x\n" + "".join(f"{row}\n" for row in range(1_500_000)))

    sizes, last = [], -1.0
    for window in batches("long.csv", rows_schema, base=path.parent):
        values = window.numbers("x")
        assert values[0] == last + 1
        last = values[-1]
        sizes.append(len(window))

    assert 1_500_000 == sum(sizes)
    assert len(sizes) > 1


def test_a_table_is_typed_by_its_content(write: Write) -> None:
    """Without a schema each column gets the type that reads all its fields."""
    path = write(
        "t.csv",
        "whole,number,truth,day,code,text,nothing\n1,1.5,true,2013-01-01,007,a,\n"
        "2,NA,False,2013-01-02,123,,NA\n",
    )

    table = read_table("t.csv", base=path.parent)

    assert [
        "int64",
        "double",
        "bool",
        "timestamp[us, tz=UTC]",
        "string",
        "string",
        "null",
    ] == [str(kind) for kind in table.schema.types]
    assert ["007", "123"] == table.column("code").to_pylist()
    assert ["a", None] == table.column("text").to_pylist()


def test_a_quote_left_open_near_the_end_is_refused(
    write: Write, rows_schema: FeatureSchema
) -> None:
    """An open quote in the last column would swallow every row after it without a trace."""
    path = write("open.csv", 'x,y\n1,"2\n3,4\n5,6\n')

    with pytest.raises(SourceError, match="a quote in the last row is left open"):
        read(path, rows_schema)


def test_a_last_field_with_a_line_break_is_no_open_quote(write: Write) -> None:
    """A quoted text of two lines may end the file."""
    schema = FeatureSchema(features=(Feature(name="y", kind="category"),))
    path = write("two.csv", 'x,y\n1,"a\nb"\n')

    assert ("a\nb",) == read(path, schema).levels("y")[1]
