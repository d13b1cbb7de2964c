"""What does a season of a model that is left alone look like?

Fourteen simulated weeks in about a minute, told week by week.
"""

import time
from pathlib import Path
from typing import Final

from modelwarrant.cli.options import out
from modelwarrant.cli.playing import say
from modelwarrant.cli.season_weeks import AS_LEARNT, MODEL, Weeks, World

__all__ = ["play_season"]

_LONGER_CALLS: Final = World("loans/harmless/abrupt/1")
_RATES_RISE: Final = World("loans/concept/abrupt/1", dearer=0.9)
_AMNESTY: Final = World("loans/concept/abrupt/2", dearer=0.9)


def play_season(folder: Path) -> None:
    """Play it in a folder, which is made anew.

    Raises:
        WarrantError: a command ended otherwise than the story says.
    """
    started = time.monotonic()
    season = Weeks(folder)
    say(f"{MODEL}: a season of a model that is left alone (the time is played, the rest is real)")
    say("The first model, learnt from the weeks before. A person must let it in.")
    season.first_model()
    with season.service():
        _quiet_weeks(season)
        _harmful_weeks(season)
        _bad_promotion(season)
    page = season.typist.ask("report", MODEL, "--output", f"{MODEL}.html")["page"]
    say(f"Done in {time.monotonic() - started:.0f} s. The season on one page:")
    out().print(f"  {folder / page}", markup=False)


def _quiet_weeks(season: Weeks) -> None:
    say("Three weeks as ever. Every Monday the outcomes of one answer in five are known.")
    for _ in range(3):
        season.live(AS_LEARNT)
        season.monitor(expect="none")
    say("Calls get longer; whether a loan defaults does not depend on it. A harmless shift.")
    for _ in range(2):
        season.live(_LONGER_CALLS)
        season.monitor(expect="none")


def _harmful_weeks(season: Weeks) -> None:
    say("Rates rise, instalments with them, and others default now; and nobody looks up outcomes.")
    season.live(_RATES_RISE, labelled=0.0)
    season.monitor(expect="none")
    season.live(_RATES_RISE, labelled=0.0)
    asked = season.monitor(expect="label")
    say("The outcomes of exactly the answers that were asked for are looked up.")
    season.label_sample(asked)
    season.monitor(expect="retrain")
    say("Another week, its outcomes looked up in full: the retraining that was asked for runs.")
    season.live(_RATES_RISE, labelled=0.0)
    season.monitor(expect="none")
    season.retrain(weeks=2, reason="learnt what rates changed, and better on what is asked now")
    season.live(_RATES_RISE)
    season.monitor(expect="none")


def _bad_promotion(season: Weeks) -> None:
    say("A fortnight's payment amnesty: somebody learns from it by hand, and a colleague agrees.")
    for _ in range(2):
        season.live(_AMNESTY, labelled=0.0)
        season.monitor(expect="none")
    season.retrain(weeks=2, reason="far better on last week's loans")
    say("The amnesty is over. The new version answers, and the first outcomes come in.")
    season.live(_RATES_RISE)
    season.monitor(expect="rollback")
    say("The version before is back, and it stays.")
    for _ in range(2):
        season.live(_RATES_RISE)
        season.monitor(expect="none")
