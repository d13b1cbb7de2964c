"""How does ``warrant serve`` start the service?"""

from pathlib import Path

from modelwarrant.cli.knowledge import Place
from modelwarrant.cli.options import note
from modelwarrant.errors import MissingExtraError, WarrantError

__all__ = ["run_service"]


def run_service(place: Place, model: str, *, host: str, port: int, log: bool) -> None:
    """Serve a model of this store until the process is told to stop.

    Raises:
        MissingExtraError: the serving extra is not installed.
        WarrantError: there is nothing to serve, as ``_check_servable`` says.
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
    anchor = None if pin is None else pin.anchor
    cache = place.home.folder / "serving"  # outside the store, so that it outlives an outage
    _check_servable(place, model, cache)
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


def _check_servable(place: Place, model: str, cache: Path) -> None:
    """Refuse to start where a person at a terminal would wait for nothing.

    Raises:
        UnknownModelError: the store has no such model; names those it has.
        WaitingError: a version waits for a person.
        RegistryError: no version may be served; says what the policy decided.
        TamperedError: files of the version in production are gone or altered.
        StoreUnavailableError: the store does not answer.
    """
    from serving.loading import fetch_blobs
    from serving.mirror import mirror_of
    from serving.warrants import required_warrant

    try:
        state = place.state(model)
    except WarrantError:
        if mirror_of(place.store, model, cache).head() is None:
            raise
        return  # the version verified last is served from the cache, and says so
    warrant = required_warrant(state)
    try:
        fetch_blobs(place.store, model, warrant)
    except WarrantError:
        if mirror_of(place.store, model, cache).head() is None:
            raise
