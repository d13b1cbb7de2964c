"""Where is the page of a run, a request, a decision or a model's life?"""

import shutil
from pathlib import Path

from gate.packages import Package
from gate.review import evidence_of
from modelwarrant.cli.deciding import describe_request
from modelwarrant.cli.knowledge import Place, models
from modelwarrant.cli.living import write_life
from modelwarrant.cli.ruling import recorded
from modelwarrant.errors import UnknownModelError
from modelwarrant.reports import run_page

__all__ = ["write_page"]


def write_page(place: Place, name: str, *, output: Path | None) -> Path:
    """Return the page of that name, written where it is not there yet.

    Raises:
        UnknownModelError: nothing has that name.
    """
    if name in models(place):
        return write_life(place, name, output=output)
    page = _run_page(place, name) or _request_page(place, name) or _decision_page(place, name)
    if output is not None:
        shutil.copyfile(page, output)
        return output
    return page


def _run_page(place: Place, name: str) -> Path | None:
    found = sorted(place.work.glob(f"*/runs/{name}*/report.html")) if name.isascii() else []
    return found[-1] if found and name else None


def _request_page(place: Place, name: str) -> Path | None:
    try:
        return describe_request(place, name)[2]
    except UnknownModelError:
        return None


def _decision_page(place: Place, name: str) -> Path:
    """Draw the page of a recorded decision."""
    evidence = evidence_of(Package(recorded(place, name)))
    page = (
        place.work
        / evidence.decision.model
        / "decisions"
        / f"{evidence.decision.digest[7:23]}.html"
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(run_page(**vars(evidence)), encoding="utf-8")
    return page
