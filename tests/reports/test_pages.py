"""A page says what the records say, in the order of a decision, and nothing in it can act."""

import base64
import dataclasses
import hashlib
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modelwarrant import reports
from modelwarrant.monitoring import action_of
from modelwarrant.records import (
    Distribution,
    DriftReport,
    EstimateCheck,
    FeatureDrift,
    LabelCounts,
    LogCounts,
    LossEstimate,
    MetricEstimate,
    MonitoringAction,
    PerformanceEstimate,
    RealisedLoss,
    Stratum,
)
from tests.monitoring.evidence import watched
from tests.reports import lives, samples

TOKEN = "t0k"  # noqa: S105 - not a secret, but what the tests look for
VOID = {"meta", "input", "br", "link"}
INLINE = {"bdi", "strong", "code"}
SELF_CLOSED = {"line", "rect", "circle", "path"}


class Outline(HTMLParser):
    """Reads a page as a browser would and notes what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[int] = []
        self.texts: dict[str, str] = {}
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what it says of itself."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.text += "" if tag in INLINE else " "
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself, which only drawings may."""
        assert tag in SELF_CLOSED
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes the innermost open element."""
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        """Note a text below the element it stands in."""
        here = self.open[-1] if self.open else ""
        self.texts[here] = self.texts.get(here, "") + data
        if here != "style":
            self.text += data


def flat(text: str) -> str:
    """Return a text with single plain spaces."""
    return " ".join(text.split())


def estimated() -> PerformanceEstimate:
    """Return an estimate that a gate made void."""
    return PerformanceEstimate(
        level="void",
        reason=samples.HOSTILE,
        metric="log_loss",
        bound=2.0,
        method="PAPE",
        value=0.45,
        lower=0.42,
        upper=0.48,
        objective=0.4,
        change=0.025,
        change_lower=0.01,
        change_upper=0.04,
        allowance=0.02,
        n_reference=2000,
        n_current=5000,
        effective_share=0.7,
        checks=(EstimateCheck(name="gates", holds=False, detail=samples.HOSTILE),),
        estimates=(
            LossEstimate(method="PAPE", value=0.45, lower=0.42, upper=0.48, is_valid=False),
            LossEstimate(method="BBSE", is_valid=False, reason=samples.HOSTILE),
        ),
        metrics=(MetricEstimate(name="roc_auc", value=0.8, lower=0.7, upper=0.9),),
        production_digest=samples.digest("production"),
        reference_digest=samples.digest("reference"),
        current_digest=samples.digest("current"),
        drift_report_digest=samples.digest("drift"),
    )


def monitored() -> MonitoringAction:
    """Return what a monitoring pass did that saw everything at once."""
    seen = watched(
        drift="blocked",
        drift_reason=samples.HOSTILE,
        agreement=0.9,
        log=LogCounts(
            rows=9, window=9, torn=(samples.HOSTILE,), gone={"7": 3}, repeated=1, future=2, others=4
        ),
        labels=LabelCounts(
            broken=("labels/x",),
            corrected=1,
            conflicting=2,
            of_other_versions=3,
            unknown_requests=4,
            unreadable=5,
            early=6,
            state_digest=samples.digest("labels"),
        ),
        sample=(Stratum(name="answer 0 to 0.2", rows=100, asked=20),),
        situation={"open_run": samples.HOSTILE, "model": "flights"},
        estimate=estimated(),
        realised=RealisedLoss(value=0.5, lower=0.47, upper=0.53, n_labels=900, estimated=0.44),
    )
    return action_of(seen)


def pages() -> Iterator[tuple[str, str]]:
    """Give every page of the room, with its name."""
    for name, make in samples.ALL.items():
        yield name, make().page()
    form = reports.ReviewForm(
        home="/x/",
        action="/x/go",
        token=TOKEN,
        person=samples.HOSTILE,
        is_requester=True,
        is_laptop=True,
        message=samples.HOSTILE,
    )
    run = samples.hostile()
    assert run.request is not None
    yield (
        "review",
        reports.run_page(
            run.decision,
            run.drift,
            run.evaluation,
            run.manifest,
            run.validation,
            run.history,
            run.request,
            form=form,
        ),
    )
    yield "request", reports.request_page(run.request, form=form, remark=samples.HOSTILE)
    yield "requests", reports.requests_page([run.request], form=form)
    yield "drift", reports.drift_page(samples.drift_report(blocked=True))
    yield "evaluation", reports.evaluation_page(samples.regression(), samples.manifest())
    yield "monitor", reports.monitor_page(monitored(), samples.drift_report(blocked=True))
    yield "life", reports.life_page(lives.life(passes=12, text=samples.HOSTILE))


PAGES = dict(pages())
every_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


@every_page
def test_page_is_balanced_html(page: str) -> None:
    """Every element of a page is closed where it must be."""
    outline = Outline(page)

    assert [] == outline.open
    assert page.startswith("<!DOCTYPE html>")


@every_page
def test_page_loads_nothing_and_runs_nothing(page: str) -> None:
    """A page has no script, no handler, no style attribute and no address of another site."""
    outline = Outline(page)

    assert not {"script", "iframe", "object", "embed", "img", "link", "base"} & set(outline.tags)
    for _, name, value in outline.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name in ("src", "href", "action", "formaction", "xlink:href"):
            assert value.startswith(("/x/", "#"))


@every_page
def test_style_is_allowed_by_its_digest(page: str) -> None:
    """The content security policy names the digest of exactly the style that stands in the page."""
    outline = Outline(page)
    digest = base64.b64encode(hashlib.sha256(outline.texts["style"].encode()).digest()).decode()
    policy = next(value for _, name, value in outline.attributes if "default-src" in value)

    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none';" in policy
    assert "@import" not in outline.texts["style"]
    assert "url(" not in outline.texts["style"]


@every_page
def test_headings_do_not_skip_a_level(page: str) -> None:
    """A page has one first heading, and none is more than one level below the one before."""
    levels = Outline(page).headings

    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@every_page
def test_every_plot_has_a_title_and_ids_are_unique(page: str) -> None:
    """What a plot shows is also said in words."""
    outline = Outline(page)
    ids = [value for _, name, value in outline.attributes if name == "id"]

    assert page.count('role="img"') == len(re.findall('role="img"[^>]*><title>[^<]', page))
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ["hostile", "review", "request", "requests", "life"])
def test_hostile_names_are_only_text(name: str) -> None:
    """Markup in a name is shown as it is, and a mark that reverses the reading is spelled out."""
    page = PAGES[name]

    assert samples.HOSTILE.replace("\u202e", "\\u202e") in Outline(page).text
    assert "\u202e" not in page
    assert "<script" not in page


def test_a_hostile_request_id_cannot_leave_its_command() -> None:
    """The command shown quotes an ID for the shell."""
    assert "warrant approve '</title>" in Outline(PAGES["hostile"]).text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("needs-approval", "Needs approval"),
        ("promote", "Promote"),
        ("hold", "Hold"),
        ("reject", "Reject"),
    ],
)
def test_verdict_rule_and_reason_stand_first(name: str, words: str) -> None:
    """A run page opens with the verdict, the rule that fired and the reason."""
    decision = samples.ALL[name]().decision
    text = flat(Outline(PAGES[name]).text)

    start = text.split("What would change it")[0].split("Candidate against")[0]
    assert words in start
    assert f"Rule: {decision.rule}" in start
    assert decision.reason[1:].rstrip(".") in start


def test_what_would_change_the_verdict_is_said() -> None:
    """Each nearest change names its levels, the verdict it would give, and the missing number."""
    text = flat(Outline(PAGES["needs-approval"]).text)

    assert (
        "reference window: unclear → not worse, and anything overdue: yes → no would give ✓ Promote"
        in text
    )
    assert "A lower bound above -0.0043 instead of -0.0071" in text


def test_a_waiting_request_shows_the_exact_commands() -> None:
    """Where a person must decide, the page gives the commands with the request's ID."""
    text = Outline(PAGES["needs-approval"]).text

    assert 'warrant approve run-20260301-101500-4f2a --reason "..."' in text
    assert 'warrant reject run-20260301-101500-4f2a --reason "..."' in text
    assert "1 person must approve; 0 did so far." in text


def test_a_verdict_without_a_request_yet_says_where_its_id_is() -> None:
    """The page of a decision that has not reached the gate shows the command without an ID."""
    run = dataclasses.replace(samples.needs_approval(), request=None)

    text = Outline(run.page()).text
    assert 'warrant approve ID --reason "..."' in text
    assert "warrant requests" in text


@pytest.mark.parametrize("name", ["promote", "hold", "reject", "first-model"])
def test_nothing_to_approve_shows_no_command(name: str) -> None:
    """An approval is offered only where one is asked for."""
    assert "warrant approve" not in PAGES[name]


@pytest.mark.parametrize("name", ["hold", "reject"])
def test_hold_and_reject_say_that_no_approval_helps(name: str) -> None:
    """An approval can veto, never waive, and the page says so."""
    assert "no approval takes this candidate into production" in PAGES[name]


def test_a_withdrawn_request_asks_for_nothing() -> None:
    """A request that its requester took back offers no command."""
    run = samples.needs_approval()
    assert run.request is not None
    gone = run.request.model_copy(update={"withdrawn": True})

    page = dataclasses.replace(run, request=gone).page()
    assert "The requester withdrew this request." in page
    assert "warrant approve" not in page


def test_outcome_stands_beside_the_verdict() -> None:
    """A promoted candidate's page says so at its head, with version and ledger entry."""
    text = flat(Outline(PAGES["first-model"]).text)

    assert "▲ Needs approval and then ✓ promoted" in text
    assert "Version 3, ledger entry 5" in text


def test_self_approval_is_marked() -> None:
    """An approval by the requester is flagged, and one without a key is not called proven."""
    text = flat(Outline(PAGES["first-model"]).text)

    assert "✓ approved by ann@example.org, 2026-03-01 11:02 UTC self-approved" in text
    assert "asserted, not proven" in text


def test_a_signed_approval_is_not_called_asserted() -> None:
    """A signature is named with the command that checks it, and is not vouched for."""
    run = samples.needs_approval()
    yes = samples.approval(run).model_copy(update={"signature": "SSHSIG"})

    page = dataclasses.replace(run, request=samples.request_for(run, approvals=[yes])).page()
    assert "signed; warrant verify checks the signature" in page
    assert "asserted, not proven" not in page
    assert "self-approved</strong>" not in page
    assert "1 did so far" in page


def test_an_approval_of_other_evidence_does_not_count() -> None:
    """An answer that was given for another evidence digest is shown, flagged and not counted."""
    run = samples.needs_approval()
    stale = samples.approval(run).model_copy(update={"evidence_digest": samples.digest("old")})

    page = dataclasses.replace(run, request=samples.request_for(run, approvals=[stale])).page()
    assert "given for other evidence: does not count" in page
    assert "0 did so far" in page


def test_approvals_given_apart_replace_those_of_the_request() -> None:
    """The ledger's approvals may be handed in beside the request."""
    run = samples.needs_approval()
    page = reports.run_page(
        run.decision,
        run.drift,
        run.evaluation,
        run.manifest,
        run.validation,
        run.history,
        approvals=[samples.approval(run)],
    )

    assert "ben@example.org" in page


def test_a_page_says_how_the_candidate_answered_beside_production() -> None:
    """Rows, agreement and mean answers; without a report there is no such part."""
    run = samples.needs_approval()
    page = dataclasses.replace(run, shadow=samples.shadow_report()).page()

    assert "Beside production" in page
    assert "97.5\u00a0%" in page
    assert "Beside production" not in run.page()


def test_matching_records_raise_no_alarm() -> None:
    """Documents with the digests that the decision names are shown without a warning."""
    assert "do not belong together" not in PAGES["needs-approval"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"drift": None}, "The drift report on this page"),
        ({"evaluation": samples.regression()}, "The evaluation report on this page"),
        ({"history": samples.history(production=False)}, "The history on this page"),
    ],
)
def test_another_run_s_document_is_named(change: dict[str, object], named: str) -> None:
    """A page that mixes runs says which document is not the decision's own."""
    run = samples.needs_approval()

    page = dataclasses.replace(run, **change).page()  # type: ignore[arg-type]
    assert "These records do not belong together." in page
    assert named in page


def test_another_model_s_manifest_is_named() -> None:
    """A manifest of another model than the candidate is not shown as if it were the candidate's."""
    run = samples.needs_approval()
    other = run.manifest.model_copy(update={"model_digest": samples.digest("other")})

    page = dataclasses.replace(run, manifest=other).page()
    assert "another model than the decision&#39;s candidate" in page


def test_both_windows_show_gain_bounds_and_losses() -> None:
    """The comparison names both windows with estimate, bounds, rows, blocks and losses."""
    text = flat(Outline(PAGES["needs-approval"]).text)

    assert "Current window, against production 954 rows in 19 blocks · loss 0.4312 → 0.4098" in text
    assert "+0.0214 [+0.0121, +0.0307]" in text
    assert "+0.0011 [−0.0071, +0.0093]" in text
    assert "Current window, against the last human-approved model" in text
    assert "Bounds are one-sided, each at 5.0 % (block bootstrap-t, 19 days)." in text


def test_undefined_numbers_are_not_zero() -> None:
    """An undefined bound, distance or comparison is called not known, with its reason."""
    text = flat(Outline(PAGES["needs-approval"]).text)

    assert "+0.00400 bounds not known 41 rows, 50 needed" in text
    assert "PSI not known: 198 current rows, 500 needed" in text


def test_unmeasured_parts_are_said_to_be_missing() -> None:
    """Without a drift report or a reference comparison the page says that there is none."""
    run = samples.reject()
    alone = run.evaluation.model_copy(update={"reference": None, "slices": ()})

    text = Outline(dataclasses.replace(run, evaluation=alone).page()).text
    assert "Not measured: there is no drift report in the evidence." in text
    assert "The reference window was not compared" in text
    assert "The project declares no slices" in text


def test_first_model_is_compared_with_the_trivial_predictor() -> None:
    """Without production the page names the trivial predictor and invents no champion."""
    text = flat(Outline(PAGES["first-model"]).text)

    assert "Candidate against the trivial predictor" in text
    assert "Production itself" not in text
    assert "production none yet" in text


def test_harmed_slices_come_first() -> None:
    """A harmed slice stands before an unclear one, and that before those that are ok."""
    text = flat(Outline(PAGES["reject"]).text)

    order = [
        text.index(mark) for mark in ("(0.25, 0.5] ✕ harmed", "Sunday ? unclear", "0.25] ✓ ok")
    ]
    assert sorted(order) == order


def test_floor_and_identical_answers_are_said() -> None:
    """A candidate that answers like production, and its gain over a constant, are named."""
    base = samples.classification()
    evaluation = base.model_copy(
        update={
            "identical_answers": True,
            "floor": samples.comparison("current", "trivial", 0.27, 0.01),
            "loss_bound": 2.5,
            "current": base.current.model_copy(update={"mcnemar_p_value": 0.031}),
        }
    )

    text = flat(Outline(reports.evaluation_page(evaluation)).text)
    assert "answer alike on every row" in text
    assert "Against the trivial predictor the candidate gains +0.270" in text
    assert "A row's loss counts 2.5 at most." in text
    assert "McNemar's test on the current window: p = 0.031" in text


def test_regression_shows_residuals() -> None:
    """A regression has residuals by predicted value in the place of calibration."""
    text = flat(Outline(PAGES["regression"]).text)

    assert "Residuals ? unclear" in text
    assert "observed − predicted" in text
    assert "Production itself ✕ degraded evidence of a degraded loss e = 412" in text


def feature_order(page: str) -> list[str]:
    """Return the names of the feature cards in their order."""
    return re.findall(r"<article class=\"card\">\s*<h3><bdi>([^<]*)</bdi>", page)


def test_features_are_sorted_by_severity_then_weight() -> None:
    """Blocked stands before drifted, drifted before untested, and the heavier first."""
    page = reports.drift_page(samples.drift_report(quiet=2, blocked=True, production=False))

    assert [
        "temperature_ground",
        "nswprice_lag_1d",
        "weekday",
        "interconnector_flow",
        "vicprice_lag_1d",
        "nswprice",
        "nswdemand",
        "holiday",
    ] == feature_order(page)


def test_quiet_features_are_folded_away() -> None:
    """Features without drift stand inside a closed element that says how many there are."""
    page = PAGES["needs-approval"]

    assert "<summary>25 quiet features</summary>" in page
    assert page.index("25 quiet features") < page.index("<bdi>nswdemand</bdi>")


def test_blocked_gates_come_first_and_name_their_column() -> None:
    """The gates' findings stand before any plot, the blocked one first."""
    text = flat(Outline(PAGES["hold"]).text)

    assert text.index("temperature ✕ blocked G3 unit and scale") < text.index("▲ warning G2")
    assert "3 checks passed." in text


def test_a_blocked_feature_s_finding_is_not_the_reason_of_its_psi() -> None:
    """Where a gate blocked a feature without a PSI, both facts are said apart."""
    blocked = samples.number("tail", "blocked", weight=None).model_copy(
        update={"psi": None, "reason": "G4: 10 % unseen"}
    )
    report = samples.drift_report().model_copy(update={"features": (blocked,)})

    text = flat(Outline(reports.drift_page(report)).text)
    assert "PSI not known number" in text
    assert "G4: 10 % unseen" in text


def test_a_feature_of_one_bin_has_no_plot() -> None:
    """A constant feature, or one whose levels are all pooled, is not drawn as one full bar."""
    one = Distribution(labels=("(other)",), reference=(1.0,), current=(1.0,))
    feature = samples.category("id", "none", labels=("a", "b")).model_copy(
        update={"distribution": one}
    )
    report = samples.drift_report(production=False).model_copy(update={"features": (feature,)})

    assert "<svg" not in reports.drift_page(report)


def test_undefined_joint_and_predictions_are_not_known() -> None:
    """A joint detector or a prediction test that could not run says why."""
    report = samples.drift_report()
    assert report.predictions is not None
    short = report.model_copy(
        update={
            "joint": report.joint.model_copy(
                update={"level": "unknown", "auc": None, "reason": "212 rows, 500 needed"}
            ),
            "predictions": report.predictions.model_copy(
                update={"level": "unknown", "psi": None, "reason": "too few rows"}
            ),
        }
    )

    text = flat(Outline(reports.drift_page(short)).text)
    assert "is not known: 212 rows, 500 needed." in text
    assert "PSI not known: too few rows" in text


def test_provenance_holds_every_digest_in_full() -> None:
    """Each digest of the decision, the manifest and its windows can be opened in full."""
    run = samples.needs_approval()
    page = PAGES["needs-approval"]
    named = re.findall(
        r"sha256:[0-9a-f]{64}", (run.decision.to_bytes() + run.manifest.to_bytes()).decode()
    )

    assert len(named) > 15
    assert all(f"<code>{digest}</code>" in page for digest in named)


def test_provenance_names_code_seed_rows_and_people() -> None:
    """A reader finds the commit and whether it was clean, the seed, the rows and the requester."""
    text = flat(Outline(PAGES["needs-approval"]).text)

    for said in (
        "1847fd60c2a4b1d3e5f60718293a4b5c6d7e8f90 with uncommitted changes",
        "hist_gradient_boosting seed 7",
        "fitted on 5,175 rows",
        "1996-09-01 00:00 UTC to 1996-11-01 00:00 UTC the end is not part of it",
        "requester ann@example.org",
        "largest difference 3.10e−16 of 1e−09 allowed, double path",
        "0 labels differ off ties in 5,175 rows and 811 hard rows",
    ):
        assert said in text


def many(count: int) -> DriftReport:
    """Return a report of that many features, most of them drifted, half with long-named levels."""
    labels = [f"{'level ' * 30}{index}" for index in range(60)]
    features: list[FeatureDrift] = []
    for index in range(count):
        name = f"{'feature ' * 40}{index}"
        if index % 2:
            features.append(samples.category(name, "drift", labels=labels, weight=None))
        else:
            features.append(samples.number(name, "drift" if index % 3 else "none", weight=0.1))
    return samples.drift_report(quiet=0).model_copy(update={"features": tuple(features)})


@pytest.mark.parametrize("count", [200, 3000])
def test_a_page_of_many_features_stays_under_two_megabytes(count: int) -> None:
    """Plots beyond a cap become rows, rows beyond a cap become a count."""
    run = samples.run(
        "PROMOTE", "better", "why", drift=many(count), evaluation=samples.regression()
    )

    page = run.page()
    assert len(page.encode()) < 2_000_000
    assert 120 + 1 == page.count('class="card"')
    assert ("2,480 more features stand only in the drift report" in page) == (count == 3000)


def test_many_levels_are_pooled_by_how_much_they_moved() -> None:
    """A category of sixty levels is drawn as the eleven that moved most and the rest."""
    report = many(2)

    page = reports.drift_page(report.model_copy(update={"features": report.features[1:]}))
    assert 12 == page.count('<th scope="row">')
    assert "49 other levels" in page


def test_same_records_give_the_same_bytes_in_another_process() -> None:
    """Neither the hash seed, the locale nor the time zone changes a page."""
    program = (
        "import hashlib; from tests.reports import samples;"
        "print(hashlib.sha256(samples.needs_approval().page().encode()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "17", "LC_ALL": "C", "TZ": "Asia/Kathmandu"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    expected = hashlib.sha256(PAGES["needs-approval"].encode()).hexdigest()
    assert expected == done.stdout.strip()


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` as WCAG 2 defines it."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palettes() -> dict[str, dict[str, str]]:
    """Return the style sheet's colours by scheme."""
    style = Outline(PAGES["promote"]).texts["style"]
    light, dark = style.split("prefers-color-scheme: dark")
    find = r"--([a-z-]+): (#[0-9a-f]{6});"
    return {
        "light": dict(re.findall(find, light)),
        "dark": dict(re.findall(find, dark.split("@media")[0])),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(scheme: str) -> None:
    """Each text colour has a contrast of at least 4.5 on what it stands on, lines at least 3."""
    colours = palettes()[scheme]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for tone in ("good", "notice", "bad", "unknown", "plain"):
        assert contrast(tone, f"{tone}-wash") >= 4.5
    for ink in ("ink", "soft", "current"):
        assert contrast(ink, "sheet") >= 4.5
        assert contrast(ink, "page") >= 4.5
    assert contrast("reference-edge", "sheet") >= 3
    assert contrast("baseline", "sheet") >= 3


def test_a_form_is_there_only_on_the_review_server() -> None:
    """A page on its own can send nothing anywhere; a reviewed one carries token and digests."""
    run = samples.hostile()
    outline = Outline(PAGES["review"])
    fields = {
        value for tag, name, value in outline.attributes if tag == "input" and name == "value"
    }

    assert "form-action 'none'" in PAGES["hostile"]
    assert "<form" not in PAGES["hostile"]
    assert "form-action 'self'" in PAGES["review"]
    assert {TOKEN, run.decision.evidence_digest, run.decision.candidate_digest} <= fields


def test_only_the_requester_can_withdraw_or_approve_alone() -> None:
    """The form offers a withdrawal and a self-approval to the person who asked, and to no other."""
    run = samples.needs_approval()
    assert run.request is not None
    other = reports.ReviewForm(home="/x/", token=TOKEN, person="ben", is_laptop=True)
    asker = dataclasses.replace(other, is_requester=True)

    assert 'value="withdraw"' not in reports.request_page(run.request, form=other)
    assert "self_approve" not in reports.request_page(run.request, form=other)
    assert 'value="withdraw"' in reports.request_page(run.request, form=asker)
    assert "self_approve" in reports.request_page(run.request, form=asker)


def test_nothing_asked_yet_is_said() -> None:
    """An empty list of requests explains what would appear there."""
    form = reports.ReviewForm(home="/x/", token=TOKEN, person="ben")

    assert "Nothing was asked yet." in reports.requests_page([], form=form)


def test_a_monitoring_pass_names_what_was_odd() -> None:
    """Torn files, gone versions, labels in conflict: each with its number, and what was done."""
    text = flat(Outline(PAGES["monitor"]).text)

    assert "With a fault in the data no machine moves production" in text
    for said in ("Of version 7, which is gone 3", "In conflict 2", "Torn files 1", "Corrected 1"):
        assert said in text


def test_a_monitoring_pass_shows_the_estimate_against_what_was_realised() -> None:
    """Both with their intervals, the gap on the same rows, and why the estimate is void."""
    text = flat(Outline(PAGES["monitor"]).text)

    assert "Loss without labels ? void" in text
    assert "Estimated log loss 0.450 [0.420, 0.480]" in text
    assert "Realised log loss 0.500 [0.470, 0.530] 900 labelled rows of the window" in text
    assert "Estimated minus realised, same rows −0.06" in text
    assert "Data as they were ✕ fails" in text
    assert "ROC AUC 0.800" in text


def test_a_request_id_is_one_segment_of_its_address() -> None:
    """An ID with a slash cannot lead to another page."""
    run = samples.needs_approval()
    assert run.request is not None
    odd = run.request.model_copy(update={"id": "../x?y"})
    form = reports.ReviewForm(home="/x/", token=TOKEN, person="ben")

    assert 'href="/x/requests/..%2Fx%3Fy"' in reports.requests_page([odd], form=form)
