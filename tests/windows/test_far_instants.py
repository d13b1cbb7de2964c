"""Instants far from now are read as numbers without an error."""

import pyarrow as pa

from modelwarrant.windows import Feature, FeatureSchema, typed_window


def test_an_instant_beyond_2_53_microseconds_is_read() -> None:
    """The year 2300 needs more digits than a float64 holds in microseconds; seconds are right."""
    schema = FeatureSchema(features=(Feature(name="when", kind="time"),))
    window = typed_window(pa.table({"when": ["2300-01-01T00:00:00Z"]}), schema)

    assert 10413792000.0 == window.numbers("when")[0]
