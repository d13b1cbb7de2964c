"""What does a person see of a run, a drift report or a request?

Self-contained HTML pages, made from records only: no clock, no network, no script, and the same
records give the same bytes.
"""

from modelwarrant.reports.life_view import Event, Life, Look, Reign
from modelwarrant.reports.pages import (
    ReviewForm,
    backtest_page,
    content_security_policy,
    drift_page,
    evaluation_page,
    history_page,
    life_page,
    monitor_page,
    request_page,
    requests_page,
    run_page,
)

__all__ = [
    "Event",
    "Life",
    "Look",
    "Reign",
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
