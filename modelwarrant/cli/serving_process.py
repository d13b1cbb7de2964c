"""How does ``warrant serve`` start the service?"""

from modelwarrant.cli.knowledge import Place
from modelwarrant.cli.options import note
from modelwarrant.errors import MissingExtraError

__all__ = ["run_service"]


def run_service(place: Place, model: str, *, host: str, port: int, log: bool) -> None:
    """Serve a model of this store until the process is told to stop.

    Raises:
        MissingExtraError: the serving extra is not installed.
        UnknownModelError: the store has no such model; names those it has.
        PermanentError: the address cannot be used.
    """
    try:
        from serving.main import serve
        from serving.settings import Settings
    except ImportError as error:
        raise MissingExtraError(
            f"serving needs {error.name}: pip install 'modelwarrant[serving]'"
        ) from error
    pin = place.home.pin(place.store.uri, model)
    if pin is None:  # a name seen before may be served from the cache while the store is gone
        place.state(model)
    anchor = None if pin is None else pin.anchor
    cache = place.home.folder / "serving"  # outside the store, so that it outlives an outage
    serve(
        place.store,
        Settings(model=model, log_payload=log),
        host=host,
        port=port,
        genesis=place.settings.genesis if pin is None else pin.genesis,
        anchor=anchor,
        cache=cache,
        announce=note,
    )
