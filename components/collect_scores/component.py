"""The typed spec of the stage collect_scores."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def collect_scores(
    scores: dsl.Input[list[dsl.Artifact]],
    table: dsl.Output[dsl.Dataset],
    summary: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
) -> dsl.ContainerSpec:
    """Put every score into one table, one summary and one page.

    Args:
        scores: one a rule and stream.
        table: one row a decision, Parquet.
        summary: each rule's figures with intervals over streams.
        page: the same for a person.
    """
    return container("collect_scores")
