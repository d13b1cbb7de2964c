"""Rows of whole seasons that lie where another window's rows do."""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from modelwarrant.windows import Feature, FeatureSchema, Window, like_season, typed_window

DAY = 86_400_000_000
YEAR = timedelta(days=365)
SCHEMA = FeatureSchema(features=(Feature(name="x", kind="number"),), time="when")


def days(first: int, last: int) -> Window:
    """Return one row a day."""
    order = pa.array(np.arange(first, last, dtype=np.int64) * DAY)
    return typed_window(pa.table({"x": np.zeros(last - first)}), SCHEMA, order=order)


def test_a_year_is_cut_to_the_autumn_it_is_compared_with() -> None:
    """The newest three tenths of a year against the same days of the next one."""
    found = like_season(days(365, 730), days(256, 365), YEAR)

    assert 620 <= found.order.min() // DAY <= 365 + 256
    assert 729 == found.order.max() // DAY


def test_a_part_of_a_season_is_left_whole() -> None:
    """It has a previous window of the same season, which is compared whole."""
    quarter = days(365, 455)

    assert quarter is like_season(quarter, days(0, 10), YEAR)


def test_without_a_season_nothing_is_cut() -> None:
    """Nobody declared that the data repeats itself."""
    year = days(0, 365)

    assert year is like_season(year, days(0, 10), None)
