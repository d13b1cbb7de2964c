"""Records as a run leaves them: the four verdicts, both tasks, a first model, a hostile schema."""

import dataclasses
import math
from collections.abc import Sequence

from modelwarrant import reports
from modelwarrant.canonical import digest_json
from modelwarrant.records import (
    Approval,
    Calibration,
    ChampionState,
    Change,
    Comparison,
    Decision,
    Distribution,
    DriftLevel,
    DriftReport,
    EvaluationReport,
    Evidence,
    FeatureDrift,
    Gate,
    History,
    Interval,
    JointDrift,
    MetricValue,
    ModelManifest,
    ParityReport,
    PredictionDrift,
    PromotionRequest,
    Recipe,
    ReliabilityBin,
    ShadowReport,
    SliceComparison,
    ValidationReport,
    Verdict,
    WindowRef,
)
from modelwarrant.records.window import ColumnFinding, SourceFile

HOSTILE = "</title><script>alert('x')</script>\" onload=alert(1) x=\"\u202eevil"
"""What a column may be called: markup, quotes and a mark that reverses the reading direction."""

QUIET_NAMES = (
    "nswprice",
    "nswdemand",
    "vicprice",
    "vicdemand",
    "transfer",
    "temperature",
    "humidity",
    "solar_irradiance",
    "wind_speed_knots_at_ten_metres",
)


def digest(name: str) -> str:
    """Return a digest that looks like any other."""
    return digest_json({"sample": name})


def numeric_distribution(seed: int, shift: float) -> Distribution:
    """Return the reference's deciles, and a current window whose rows moved up by ``shift``."""
    scale = (0.01, 1, 1000)[seed % 3]
    raw = [math.exp(shift * (step - 4.5) / 4) for step in range(10)]
    return Distribution(
        edges=tuple(round(scale * (step - 4) * abs(step - 4) / 8, 5) for step in range(9)),
        reference=(0.1,) * 10,
        current=tuple(value / sum(raw) for value in raw),
    )


def level_distribution(labels: Sequence[str], seed: int, shift: float) -> Distribution:
    """Return the shares of some levels, the first of them moved by ``shift``."""
    before = [1 + math.sin(seed + index) / 2 for index in range(len(labels))]
    after = [before[0] * (1 + 4 * shift), *before[1:]]
    return Distribution(
        labels=tuple(labels),
        reference=tuple(value / sum(before) for value in before),
        current=tuple(value / sum(after) for value in after),
    )


def number(name: str, level: DriftLevel, *, seed: int = 0, weight: float | None) -> FeatureDrift:
    """Return one number's drift at a level."""
    psi = {"none": 0.004, "notice": 0.052, "drift": 0.31, "blocked": 2.4}.get(level)
    shift = {"none": 0.05, "notice": 0.5, "drift": 1.4, "blocked": 4.0}.get(level, 0.0)
    return FeatureDrift(
        name=name,
        kind="number",
        level=level,
        n_reference=212 if level == "unknown" else 4213,
        n_current=198 if level == "unknown" else 3180,
        psi=psi,
        psi_p_value=None if psi is None else (1e-9 if psi > 0.1 else 0.93),
        psi_p_value_adjusted=None if psi is None else (3e-8 if psi > 0.1 else 1.0),
        psi_threshold=0.10,
        ks=0.31 if level == "drift" else 0.021,
        ks_lower=0.262 if level == "drift" else 0.0,
        wasserstein=431.25 if level == "drift" else 0.0123,
        wasserstein_scaled=0.61 if level == "drift" else 0.02,
        jensen_shannon=0.2 if level == "drift" else 0.02,
        method="exact",
        missing_reference=0.0,
        missing_current=0.031 if level == "notice" else 0.0,
        weight=weight,
        reason="198 current rows, 500 needed" if level == "unknown" else None,
        distribution=numeric_distribution(seed, shift),
    )


def category(
    name: str, level: DriftLevel, *, labels: Sequence[str], weight: float | None = 0.04
) -> FeatureDrift:
    """Return one category's drift at a level."""
    return FeatureDrift(
        name=name,
        kind="category",
        level=level,
        n_reference=4213,
        n_current=3180,
        psi=0.18 if level == "drift" else 0.006,
        psi_p_value=0.0004 if level == "drift" else 0.99,
        psi_p_value_adjusted=0.0052 if level == "drift" else 1.0,
        psi_threshold=0.10,
        jensen_shannon=0.14,
        missing_reference=0.012,
        missing_current=0.019,
        unseen_share=0.004,
        weight=weight,
        distribution=level_distribution(labels, 3, 0.5 if level == "drift" else 0.0),
    )


def features(quiet: int = 24) -> tuple[FeatureDrift, ...]:
    """Return features of every level, most of them quiet."""
    names = [
        f"{QUIET_NAMES[i % len(QUIET_NAMES)]}{'' if i < 9 else f'_lag_{i}'}" for i in range(quiet)
    ]
    loud = (
        number("nswprice_lag_1d", "drift", seed=1, weight=0.41),
        category(
            "weekday",
            "drift",
            labels=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "OTHER"),
        ),
        number("vicprice_lag_1d", "notice", seed=2, weight=0.12),
        number("interconnector_flow", "unknown", seed=4, weight=0.02),
        category("holiday", "none", labels=("false", "true"), weight=0.0),
    )
    return loud + tuple(
        number(name, "none", seed=10 + i, weight=0.4 / (i + 3)) for i, name in enumerate(names)
    )


def gates(*, blocked: bool = False) -> tuple[Gate, ...]:
    """Return the gates' findings."""
    found = [
        Gate(gate="G1", column=None, level="ok", detail="3,180 rows, schema as declared"),
        Gate(
            gate="G2",
            column="vicprice_lag_1d",
            level="warn",
            detail="missing rows went from 0.0 % to 3.1 % (p < 0.0001)",
            value=0.031,
            threshold=0.02,
        ),
        Gate(gate="G3", column="nswprice_lag_1d", level="ok", detail="IQR ratio 1.12"),
        Gate(gate="G4", column="weekday", level="ok", detail="no unseen level"),
    ]
    if blocked:
        found.append(
            Gate(
                gate="G3",
                column="temperature",
                level="block",
                detail="IQR went from 9.1 to 16.4 and its median from 18.2 to 64.7; "
                "dividing by 1.8 restores the shape: a change of unit?",
                value=3.56,
                threshold=3.0,
            )
        )
    return tuple(found)


def drift_report(
    *,
    quiet: int = 24,
    blocked: bool = False,
    production: bool = True,
    extra: Sequence[FeatureDrift] = (),
) -> DriftReport:
    """Return a report of two windows that differ."""
    predictions = PredictionDrift(
        level="notice",
        psi=0.043,
        psi_p_value=0.97,
        total_variation=0.061,
        total_variation_p_value=0.0003,
        n_reference=1264,
        n_current=3180,
        reason="BBSE is undefined while the joint detector sees drift",
        distribution=numeric_distribution(9, 0.6),
    )
    temperature = number("temperature_ground", "blocked", seed=5, weight=0.06)
    return DriftReport(
        n_reference=4213,
        n_current=3180,
        level="blocked" if blocked else "drift",
        features=features(quiet) + tuple(extra) + ((temperature,) if blocked else ()),
        joint=JointDrift(
            level="drift",
            auc=0.742,
            auc_lower=0.718,
            p_value=1e-12,
            n_reference=4213,
            n_current=3180,
            features=("nswprice_lag_1d", "vicprice_lag_1d", "weekday"),
        ),
        gates=gates(blocked=blocked),
        predictions=predictions if production else None,
        alpha=0.01,
        reference_digest=digest("reference window"),
        current_digest=digest("current window"),
        production_digest=digest("production") if production else None,
        schema_digest=digest("schema"),
    )


def gain(estimate: float, half: float, *, method: str = "block bootstrap-t, 19 days") -> Interval:
    """Return an interval around an estimate."""
    return Interval(
        estimate=estimate, lower=estimate - half, upper=estimate + half, alpha=0.05, method=method
    )


def comparison(
    window: str, baseline: str, estimate: float, half: float, *, loss: float = 0.4312
) -> Comparison:
    """Return one window's paired comparison."""
    return Comparison.model_validate(
        {
            "window": window,
            "baseline": baseline,
            "n_rows": 954 if window == "current" else 1264,
            "n_blocks": 19 if window == "current" else 35,
            "baseline_loss": loss,
            "candidate_loss": loss - estimate,
            "gain": gain(estimate, half),
            "deviation": 0.31,
        }
    )


def slices(*, harmed: bool = False) -> tuple[SliceComparison, ...]:
    """Return the gain in bins of the time of day, perhaps one of them harmed."""
    names = ("[0, 0.25]", "(0.25, 0.5]", "(0.5, 0.75]", "(0.75, 1]")
    found = [
        SliceComparison(
            column="period",
            value=name,
            n_rows=238 + 3 * index,
            gain=gain(0.012 + 0.006 * index, 0.017, method="paired bootstrap-t"),
            p_harm=0.4,
            p_harm_adjusted=1.0,
            level="ok",
        )
        for index, name in enumerate(names)
    ]
    found.append(
        SliceComparison(
            column="weekday",
            value="Sunday",
            n_rows=41,
            gain=Interval(
                estimate=0.004, lower=None, upper=None, alpha=0.05, method="paired bootstrap-t"
            ),
            p_harm=None,
            p_harm_adjusted=None,
            level="unclear",
            reason="41 rows, 50 needed",
        )
    )
    if harmed:
        found[1] = found[1].model_copy(
            update={
                "gain": gain(-0.061, 0.022, method="paired bootstrap-t"),
                "p_harm": 0.0001,
                "p_harm_adjusted": 0.0005,
                "level": "harmed",
            }
        )
    return tuple(found)


def reliability(bend: float) -> tuple[ReliabilityBin, ...]:
    """Return ten bins off the diagonal by ``bend`` at most."""
    return tuple(
        ReliabilityBin(
            n_rows=40 + 25 * abs(step - 5),
            predicted=0.05 + 0.1 * step,
            observed=min(max(0.05 + 0.1 * step + bend * math.sin(step), 0.0), 1.0),
        )
        for step in range(10)
    )


def residuals(bias: float) -> tuple[ReliabilityBin, ...]:
    """Return ten bins of predicted air time with a bias that grows."""
    return tuple(
        ReliabilityBin(
            n_rows=310 - 12 * step,
            predicted=42.0 + 61.5 * step,
            observed=42.0 + 61.5 * step + bias * step / 3,
            deviation=9.0 + 1.4 * step,
        )
        for step in range(10)
    )


def classification(
    *, production: bool = True, harmed: bool = False, current_gain: float = 0.0214
) -> EvaluationReport:
    """Return an evaluation by log loss."""
    baseline = "production" if production else "trivial"
    loss = 0.4312 if production else 0.6829
    return EvaluationReport(
        task="classification",
        metric="log_loss",
        alpha=0.05,
        margin_non_inferiority=0.0043,
        candidate_digest=digest("candidate"),
        production_digest=digest("production") if production else None,
        anchor_digest=digest("anchor") if production else None,
        current_final_digest=digest("current final"),
        reference_final_digest=digest("reference final"),
        policy_digest=digest("policy"),
        current=comparison("current", baseline, current_gain, 0.0093, loss=loss),
        reference=comparison("reference", baseline, 0.0011, 0.0082, loss=loss - 0.02),
        anchor=comparison("current", "anchor", 0.0251, 0.0101, loss=0.4349) if production else None,
        slices=slices(harmed=harmed),
        calibration=Calibration(
            level="ok",
            candidate_error=0.0212,
            baseline_error=0.0391 if production else None,
            difference=gain(-0.0179, 0.0121, method="paired bootstrap") if production else None,
            candidate_bins=reliability(0.02),
            baseline_bins=reliability(0.06) if production else (),
        ),
        champion=ChampionState(
            level="ok" if production else "unknown",
            e_value=1.82 if production else None,
            n_reference=1264 if production else 0,
            n_current=954,
            reason=None if production else "no model is in production",
        ),
        metrics=tuple(
            MetricValue(
                window=window,
                name=name,
                baseline=before if production else None,
                candidate=after,
                higher_is_better=higher,
            )
            for window in ("current", "reference")
            for name, before, after, higher in (
                ("log_loss", 0.4312, 0.4098, False),
                ("error_rate", 0.1929, 0.1761, False),
                ("roc_auc", 0.8812, 0.8997, True),
            )
        ),
    )


def regression() -> EvaluationReport:
    """Return an evaluation by squared error, in square minutes."""
    return EvaluationReport(
        task="regression",
        metric="squared_error",
        alpha=0.0125,
        margin_non_inferiority=1.52,
        candidate_digest=digest("candidate"),
        production_digest=digest("production"),
        anchor_digest=None,
        current_final_digest=digest("current final"),
        reference_final_digest=digest("reference final"),
        policy_digest=digest("policy"),
        current=comparison("current", "production", 21.4, 6.3, loss=152.3),
        reference=comparison("reference", "production", -3.1, 7.7, loss=141.9),
        anchor=None,
        calibration=Calibration(
            level="unclear",
            candidate_error=0.41,
            baseline_error=4.62,
            difference=gain(-4.21, 1.3, method="paired bootstrap"),
            candidate_bins=residuals(0.4),
            baseline_bins=residuals(-4.0),
            reason="3 of 10 bins hold fewer than 50 rows",
        ),
        champion=ChampionState(level="degraded", e_value=412.0, n_reference=9120, n_current=954),
        metrics=(
            MetricValue(
                window="current",
                name="squared_error",
                baseline=152.3,
                candidate=130.9,
                higher_is_better=False,
            ),
            MetricValue(
                window="current", name="r2", baseline=0.981, candidate=0.984, higher_is_better=True
            ),
        ),
    )


def window_ref(name: str, bounds: str, rows: int) -> WindowRef:
    """Return where a window came from."""
    return WindowRef(
        source="data/electricity.csv.gz",
        bounds=bounds,
        rows=rows,
        window_digest=digest(f"{name} window"),
        schema_digest=digest("schema"),
        files=(SourceFile(uri="data/electricity.csv.gz", digest=digest("file")),),
        final=0.3,
        train_digest=digest(f"{name} train"),
        final_digest=digest(f"{name} final"),
    )


def manifest(*, requester: str = "ann@example.org") -> ModelManifest:
    """Return what made the candidate."""
    return ModelManifest(
        model="electricity",
        model_digest=digest("candidate"),
        feature_schema_digest=digest("schema"),
        recipe=Recipe(
            model="hist_gradient_boosting", seed=7, parameters={"max_iter": 200, "l2": 0.5}
        ),
        train="both",
        current=window_ref("current", "1996-09-01T00:00:00Z..1996-11-01T00:00:00Z", 3180),
        reference=window_ref("reference", "1996-05-07T00:00:00Z..1996-09-01T00:00:00Z", 4213),
        training_digest=digest("training rows"),
        training_rows=5175,
        training_metrics={"log_loss": 0.3011, "rounds": 200.0},
        parity=ParityReport(
            rows=5175,
            hard_rows=811,
            label_differences=0,
            ties=0,
            max_difference=3.1e-16,
            tolerance=1e-9,
            path="double",
        ),
        run="20260301-101500-4f2a",
        requester=requester,
        code_commit="1847fd60c2a4b1d3e5f60718293a4b5c6d7e8f90",
        code_dirty=True,
        lock_digest=digest("lock"),
        image_digest=None,
        cpu="x86_64 GenuineIntel 6/143",
        engine_version="0.1.0",
    )


def validation() -> ValidationReport:
    """Return what is worth knowing about the current window."""
    return ValidationReport(
        window_digest=digest("current window"),
        rows=3180,
        labelled_rows=3176,
        findings=(
            ColumnFinding(
                column="class", finding="missing_target", rows=4, detail="4 rows have no label yet"
            ),
            ColumnFinding(
                column=None,
                finding="duplicate_rows",
                rows=12,
                detail="12 rows stand more than once",
            ),
        ),
    )


def history(*, production: bool = True) -> History:
    """Return what the ledger said."""
    return History(
        model="electricity",
        production_version=14 if production else None,
        production_digest=digest("production") if production else None,
        anchor_version=14 if production else None,
        anchor_digest=digest("anchor") if production else None,
        candidates=(digest("earlier candidate"),) if production else (),
        looks=1 if production else 0,
        policy_digest=digest("policy"),
        engine_version="1",
        overdue=("monitoring was due on 2026-02-20",) if production else (),
    )


@dataclasses.dataclass(frozen=True)
class Run:
    """The records of one run, as ``reports.run_page`` takes them."""

    decision: Decision
    drift: DriftReport | None
    evaluation: EvaluationReport
    manifest: ModelManifest
    validation: ValidationReport
    history: History
    request: PromotionRequest | None = None
    shadow: ShadowReport | None = None

    def page(self) -> str:
        """Return the page."""
        return reports.run_page(
            self.decision,
            self.drift,
            self.evaluation,
            self.manifest,
            self.validation,
            self.history,
            request=self.request,
            shadow=self.shadow,
        )


def shadow_report() -> ShadowReport:
    """Return what two services saw of a candidate: 2,000 rows, of which 50 answered otherwise."""
    return ShadowReport(
        model="late-flights",
        role="candidate",
        production=14,
        production_digest=digest("production"),
        version=19,
        version_digest=digest("candidate"),
        since="2026-02-28T09:00:00.000Z",
        until="2026-03-01T09:00:00.000Z",
        rows=2000,
        dropped=120,
        failures=0,
        disagreements=50,
        difference=84.0,
        largest=0.31,
        seconds=0.06,
        production_scores=(1510.0, 490.0),
        scores=(1490.0, 510.0),
    )


LEVELS = {
    "identical": "no",
    "evidence": "fresh",
    "policy": "ratified",
    "gates": "ok",
    "power": "enough",
    "production": "some",
    "floor": "met",
    "current": "better",
    "reference": "unclear",
    "slices": "unclear",
    "calibration": "ok",
    "overdue": "yes",
    "drift": "drift",
    "trained_on": "current",
    "champion": "ok",
    "anchor": "ok",
}


def run(
    verdict: Verdict,
    rule: str,
    reason: str,
    *,
    drift: DriftReport | None,
    evaluation: EvaluationReport,
    production: bool = True,
    levels: dict[str, str] | None = None,
    would_change: Sequence[Change] = (),
) -> Run:
    """Join records into a run whose decision names them by their true digests."""
    made, checked, known = manifest(), validation(), history(production=production)
    evidence = Evidence(
        manifest=made.digest,
        drift=None if drift is None else drift.digest,
        evaluation=evaluation.digest,
        validation=checked.digest,
        history=known.digest,
    )
    decision = Decision(
        model="electricity",
        verdict=verdict,
        rule=rule,
        reason=reason,
        levels=LEVELS | (levels or {}),
        candidate_digest=digest("candidate"),
        baseline_digest=digest("production") if production else None,
        evidence=evidence,
        evidence_digest=digest_json(evidence.model_dump(mode="json")),
        policy_digest=digest("policy"),
        engine_version="1",
        n_labels=954,
        n_required=812 if production else None,
        approvals_required=1,
        would_change=tuple(would_change),
    )
    return Run(decision, drift, evaluation, made, checked, known)


def request_for(made: Run, *, approvals: Sequence[Approval] = ()) -> PromotionRequest:
    """Return the request that a run left."""
    return PromotionRequest(
        id="run-20260301-101500-4f2a",
        operation="promote",
        model="electricity",
        run=made.manifest.run,
        requester=made.manifest.requester,
        candidate_digest=made.decision.candidate_digest,
        baseline_digest=made.decision.baseline_digest,
        evidence_digest=made.decision.evidence_digest,
        policy_digest=made.decision.policy_digest,
        verdict=made.decision.verdict,
        created="2026-03-01T10:15:03Z",
        expires="2026-03-08T10:15:03Z",
        approvals=tuple(approvals),
    )


def approval(made: Run, *, approver: str = "ben@example.org", own: bool = False) -> Approval:
    """Return one person's yes."""
    return Approval(
        verdict="Approved",
        approver=approver,
        candidate_digest=made.decision.candidate_digest,
        evidence_digest=made.decision.evidence_digest,
        reason="The new tariff is here to stay; the old regime does not matter any more.",
        time="2026-03-01T11:02:44Z",
        self_approved=own,
    )


def needs_approval(*, quiet: int = 24) -> Run:
    """Return a run that waits: better now, unclear on the old regime."""
    made = run(
        "NEEDS_APPROVAL",
        "better-now-not-before",
        "gain 0.0214 (+4.96%) in log_loss against production on the current window, bounds 0.0121 "
        "to 0.0307 at alpha 0.05, 954 labels; unclear on the reference window (gain 0.0011 "
        "(+0.27%) in log_loss against production on the reference window, bounds -0.0071 to 0.0093 "
        "at alpha 0.05, 1,264 labels): old regime against new",
        drift=drift_report(quiet=quiet),
        evaluation=classification(),
        would_change=(
            Change(
                level="reference and overdue",
                now="unclear and yes",
                then="not worse and no",
                verdict="PROMOTE",
                detail="a lower bound above -0.0043 instead of -0.0071 on the reference window; "
                "and nothing overdue: monitoring was due on 2026-02-20",
            ),
            Change(
                level="current",
                now="better",
                then="unclear",
                verdict="HOLD",
                detail="a lower bound of at most 0 instead of 0.0121 on the current window",
            ),
        ),
    )
    return dataclasses.replace(made, request=request_for(made))


def promote() -> Run:
    """Return a run that may go ahead without a person."""
    return run(
        "PROMOTE",
        "better",
        "The candidate is better on the current window (lower bound 0.0121 > 0) and no worse on "
        "the reference window.",
        drift=drift_report(quiet=8),
        evaluation=classification(),
        levels={"reference": "not worse", "slices": "ok", "overdue": "no"},
    )


def hold() -> Run:
    """Return a run that a data fault stopped, with too few labels besides."""
    return run(
        "HOLD",
        "data-fault",
        "A gate is blocked: temperature changed its unit (G3, IQR ratio 3.56 against 3.0).",
        drift=drift_report(quiet=8, blocked=True),
        evaluation=classification(current_gain=0.0031),
        levels={"gates": "blocked", "current": "unclear"},
        would_change=(
            Change(
                level="gates",
                now="blocked",
                then="ok",
                verdict="HOLD",
                detail="with the fault repaired the gain is still unclear: 1,410 more labels",
            ),
        ),
    )


def reject() -> Run:
    """Return a run whose candidate harms one slice."""
    return run(
        "REJECT",
        "worse",
        "The candidate is worse where period is (0.25, 0.5] (gain −0.061, adjusted p = 0.0005).",
        drift=None,
        evaluation=classification(harmed=True),
        levels={"slices": "harmed", "drift": "unknown"},
    )


def regressing() -> Run:
    """Return a regression run whose production model has degraded."""
    made = run(
        "NEEDS_APPROVAL",
        "champion-degraded",
        "Production has degraded (e = 412 >= 100) and the candidate is not worse on the current "
        "window.",
        drift=drift_report(quiet=3),
        evaluation=regression(),
        levels={"champion": "degraded", "current": "not worse"},
    )
    return dataclasses.replace(made, request=request_for(made))


def first_model() -> Run:
    """Return the first model, approved by the person who asked for it."""
    made = run(
        "NEEDS_APPROVAL",
        "first-model",
        "No model is in production; the candidate is better than the trivial predictor "
        "(gain 0.2731, lower bound 0.2638 > 0).",
        drift=drift_report(quiet=3, production=False),
        evaluation=classification(production=False, current_gain=0.2731),
        production=False,
        levels={"production": "none", "champion": "unknown"},
    )
    yes = approval(made, approver=made.manifest.requester, own=True)
    request = request_for(made, approvals=[yes])
    return dataclasses.replace(
        made,
        request=request.model_copy(
            update={
                "outcome": "promoted",
                "version": 3,
                "ledger_seq": 5,
                "ledger_digest": digest("entry"),
            }
        ),
    )


def hostile() -> Run:
    """Return a run in which every free text is an attack on the page."""
    report = drift_report(
        quiet=2,
        extra=(
            number(HOSTILE, "drift", seed=1, weight=0.9),
            category(HOSTILE + "2", "drift", labels=(HOSTILE, "javascript:alert(1)", "&amp;")),
        ),
    )
    report = report.model_copy(
        update={
            "gates": (Gate(gate="G1", column=HOSTILE, level="block", detail=HOSTILE),),
            "joint": report.joint.model_copy(update={"features": (HOSTILE,), "reason": HOSTILE}),
        }
    )
    evaluation = classification()
    evaluation = evaluation.model_copy(
        update={
            "metric": HOSTILE,
            "slices": tuple(
                part.model_copy(update={"column": HOSTILE, "value": HOSTILE, "reason": HOSTILE})
                for part in evaluation.slices
            ),
        }
    )
    made = run("NEEDS_APPROVAL", HOSTILE, HOSTILE, drift=report, evaluation=evaluation)
    change = Change(level=HOSTILE, now=HOSTILE, then=HOSTILE, verdict="HOLD", detail=HOSTILE)
    yes = approval(made, approver=HOSTILE).model_copy(update={"reason": HOSTILE})
    request = request_for(made, approvals=[yes]).model_copy(
        update={"id": HOSTILE, "requester": HOSTILE, "outcome_reason": HOSTILE}
    )
    return dataclasses.replace(
        made,
        decision=made.decision.model_copy(
            update={"model": HOSTILE, "would_change": (change,), "levels": {HOSTILE: HOSTILE}}
        ),
        manifest=made.manifest.model_copy(update={"run": HOSTILE, "cpu": HOSTILE}),
        request=request,
    )


ALL = {
    "needs-approval": needs_approval,
    "promote": promote,
    "hold": hold,
    "reject": reject,
    "regression": regressing,
    "first-model": first_model,
    "hostile": hostile,
}
"""Every kind of run, by name."""
