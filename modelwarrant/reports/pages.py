"""How do a run's records become one self-contained page?

Templates only lay out; what is said is made in the ``*_view`` modules. A page holds no script and
names no other address, its style is allowed by digest in a content security policy, and the same
records give the same bytes.
"""

import base64
import dataclasses
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from modelwarrant.records import (
    Approval,
    BacktestSummary,
    Decision,
    DriftReport,
    EvaluationReport,
    History,
    HistoryReport,
    ModelManifest,
    MonitoringAction,
    PromotionRequest,
    ShadowReport,
    ValidationReport,
)
from modelwarrant.reports import decision_view
from modelwarrant.reports.backtest_view import backtest_view
from modelwarrant.reports.drift_view import drift_view
from modelwarrant.reports.evaluation_view import evaluation_view
from modelwarrant.reports.figures import moment, plural, sentence, short_digest
from modelwarrant.reports.history_view import history_view
from modelwarrant.reports.life_view import Life, life_view
from modelwarrant.reports.monitor_view import monitor_view
from modelwarrant.reports.parts import escaped, verdict_mark
from modelwarrant.reports.provenance_view import provenance

__all__ = [
    "ReviewForm",
    "backtest_page",
    "content_security_policy",
    "drift_page",
    "evaluation_page",
    "history_page",
    "life_page",
    "monitor_page",
    "request_page",
    "requests_page",
    "run_page",
]

TEMPLATES = Path(__file__).parent / "templates"


@dataclasses.dataclass(frozen=True)
class ReviewForm:
    """Where a reviewer's answer is sent to; only the review server has one."""

    home: str
    """Path of the list of requests, with a slash at its end."""
    token: str
    """Proves that the form came from this server."""
    person: str
    """As whom an answer is recorded."""
    action: str = ""
    """Path that takes the answer."""
    can_answer: bool = True
    """False where there is nothing that could have been reviewed."""
    is_requester: bool = False
    """Whether that person asked: then the request may be withdrawn."""
    is_laptop: bool = False
    """Whether the ledger allows a requester to approve, recorded as such."""
    message: str = ""
    """What came of the answer before, or why it was refused."""
    is_error: bool = False


@cache
def _style() -> str:
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def content_security_policy(*, forms: bool = False) -> str:
    """Return the policy of a page: nothing is loaded, and only the page's own style applies.

    Args:
        forms: whether the page may send a form to where it came from.
    """
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    target = "'self'" if forms else "'none'"
    return f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action {target}"


@cache
def _environment() -> Environment:
    """Return the templates; every expression in them is made visible and escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(plural=plural, moment=moment, sentence=sentence, segment=_segment)
    return environment


def _segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def _render(template: str, *, form: ReviewForm | None = None, **values: Any) -> str:
    """Fill a template with a page's common parts and its own."""
    return (
        _environment()
        .get_template(template)
        .render(
            policy=Markup(content_security_policy(forms=form is not None)),  # noqa: S704 - a constant
            style=Markup(_style()),  # noqa: S704 - a file of this package
            form=form,
            **values,
        )
    )


def run_page(
    decision: Decision,
    drift: DriftReport | None,
    evaluation: EvaluationReport,
    manifest: ModelManifest,
    validation: ValidationReport,
    history: History,
    request: PromotionRequest | None = None,
    approvals: Sequence[Approval] = (),
    *,
    form: ReviewForm | None = None,
    shadow: ShadowReport | None = None,
) -> str:
    """Return the page of one decision, in the order in which a person decides.

    Documents that are not the ones the decision names are shown with a warning, since a verdict
    may be about exactly that.

    Args:
        decision: the verdict.
        drift: None where it was not measured.
        evaluation: candidate against what is in production.
        manifest: what made the candidate.
        validation: what is known of the current window's data.
        history: what the ledger said.
        request: the request at the gate, once there is one.
        approvals: people's answers; by default those in the request.
        form: where to send an answer, on the review server.
        shadow: how the candidate answered beside production since; no part of the verdict.
    """
    answers = tuple(approvals) or (request.approvals if request is not None else ())
    given = decision_view.approval_views(decision, answers)
    return _render(
        "run.html",
        form=form,
        decision=decision,
        verdict=verdict_mark(decision.verdict),
        headline=decision_view.headline(decision),
        figures=decision_view.key_figures(decision, drift, evaluation),
        changes=decision_view.changes(decision),
        mismatches=decision_view.mismatches(
            decision, drift, evaluation, manifest, validation, history
        ),
        answer=decision_view.answer_view(decision, request, given),
        approvals=given,
        evaluation=evaluation_view(evaluation),
        drift=None if drift is None else drift_view(drift),
        shadow=shadow,
        beside=() if shadow is None else decision_view.beside_production(shadow),
        validation=validation,
        findings=decision_view.findings(validation),
        provenance=provenance(decision, manifest, evaluation, history, request),
        levels=decision_view.levels_table(decision),
        manifest=manifest,
        request=request,
    )


def drift_page(report: DriftReport) -> str:
    """Return the page of a drift report alone."""
    return _render("drift.html", drift=drift_view(report), report=report)


def evaluation_page(evaluation: EvaluationReport, manifest: ModelManifest | None = None) -> str:
    """Return the page of an evaluation alone.

    Args:
        evaluation: candidate against what is in production.
        manifest: what made the candidate, for its name.
    """
    return _render(
        "evaluation.html",
        evaluation=evaluation_view(evaluation),
        report=evaluation,
        manifest=manifest,
        candidate=short_digest(evaluation.candidate_digest),
    )


def backtest_page(summary: BacktestSummary) -> str:
    """Return the page of rules that were compared over many streams."""
    return _render("backtest.html", view=backtest_view(summary), summary=summary)


def history_page(report: HistoryReport) -> str:
    """Return the page of a backtest of a project's own history."""
    return _render("history.html", view=history_view(report), report=report)


def monitor_page(action: MonitoringAction, drift: DriftReport) -> str:
    """Return the page of one monitoring pass.

    Args:
        action: what it did, and the evidence.
        drift: the report that the evidence names.
    """
    return _render(
        "monitor.html", action=action, view=monitor_view(action), drift=drift_view(drift)
    )


def life_page(life: Life) -> str:
    """Return the page of a model's life: windows, losses, decisions and people on one axis.

    Args:
        life: what its ledger tells, at least one event.
    """
    return _render("life.html", life=life, view=life_view(life))


def request_page(
    request: PromotionRequest, *, form: ReviewForm | None = None, remark: str = ""
) -> str:
    """Return the page of a request that has no evidence to show, such as a rollback.

    Args:
        request: what was asked.
        form: where to send an answer, on the review server.
        remark: why there is no evidence, where there should be some.
    """
    return _render("request.html", form=form, request=request, remark=remark)


def requests_page(requests: Sequence[PromotionRequest] | None, *, form: ReviewForm) -> str:
    """Return the list of requests.

    Args:
        requests: in the order of the list; None where they cannot be shown, and ``form.message``
            says why.
        form: its ``home`` is the path below which each request has its page.
    """
    return _render("requests.html", form=form, requests=requests)
