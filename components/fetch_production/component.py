"""The typed spec of the stage fetch_production."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def fetch_production(
    model: str,
    store: str,
    source: str,
    base: str,
    bounds: str,
    contract: dict,
    final: float,
    review_by: str,
    monitor_every_s: int,
    production: dsl.Output[dsl.Model],
    anchor: dsl.Output[dsl.Model],
    reference: dsl.Output[dsl.Dataset],
    reference_ref: dsl.Output[dsl.Artifact],
    history: dsl.Output[dsl.Artifact],
    digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Fetch what is in production, the window that made it, and what the ledger says.

    Args:
        model: the model's name.
        store: folder or s3://bucket/prefix of the ledger.
        source: the project's source, for the first reference.
        base: folder that relative paths start from.
        bounds: the reference window of the first model; later the production model's own
            current window is the reference, as its manifest says.
        contract: the feature schema.
        final: final share of the first reference.
        review_by: ISO date after which a promotion needs a person; empty for none.
        monitor_every_s: longest seconds between two passes of the monitor, after which a promotion
            needs a person; 0 for none.
        production: bundle, or a file that says there is none yet.
        anchor: bundle of the last version a person approved, or a file that says there is none.
        reference: the reference window, read again and compared with its recorded digest.
        reference_ref: where it came from.
        history: production, anchor, candidates and looks, policy in force.
        digest: the reference window's digest.
    """
    return container("fetch_production")
