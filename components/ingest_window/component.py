"""The typed spec of the stage ingest_window."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def ingest_window(
    source: str,
    base: str,
    bounds: str,
    contract: dict,
    final: float,
    data_digest: str,
    season_s: int,
    window: dsl.Output[dsl.Dataset],
    window_ref: dsl.Output[dsl.Artifact],
    history: dsl.Output[dsl.Dataset],
    digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Read one window of a source, typed by the contract.

    Args:
        source: path, glob, s3://, https:// or sklearn:// as in the project file.
        base: folder that relative paths start from.
        bounds: ``A..B`` in time, ``a:b`` in rows, or ``last 30d``.
        contract: the feature schema.
        final: share of the newest labelled rows that only evaluation may read.
        data_digest: digest of the source's files that the caller saw; another is refused.
            Empty: none was taken.
        season_s: seconds after which the data repeats itself; 0 for none.
        window: the rows, Parquet.
        window_ref: where they came from, with digests.
        history: the last rows before at the same place of the season; no row without a season, or
            where the source does not hold them.
        digest: the window's digest; later stages take it as a parameter, so no cache answers for
            changed rows.
    """
    return container("ingest_window")
