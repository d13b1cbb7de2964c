"""How are a feature's column and a class's score called in the log of predictions?

Serving writes the log and the monitor reads it; both ask here.
"""

from modelwarrant.windows.schema import FeatureSchema

__all__ = ["LOG_COLUMNS", "logged_features", "score_column"]

LOG_COLUMNS = ("request_id", "row", "time", "version", "decision_id", "prediction")
"""Columns that every log has beside features and scores."""


def score_column(label: str) -> str:
    """Return the column of a class's score."""
    return f"score.{label}"


def logged_features(schema: FeatureSchema) -> dict[str, str]:
    """Return, for each feature, its column: its name, unless another column is called so."""
    taken = {*LOG_COLUMNS, *(score_column(label) for label in schema.classes or ())}
    columns = {}
    for name in schema.names:
        column = name
        while column in taken:
            column = f"feature.{column}"
        taken.add(column)
        columns[name] = column
    return columns
