"""The example alert rules ask for metrics that exist, with labels that exist."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families as parse

from gate.controller import Health
from gate.pages import create_pages_app
from modelwarrant.cli.listing import Row, prometheus_text
from serving.main import make_recorder
from serving.metrics import Metrics
from serving.settings import Settings
from tests.gate.test_pages import EmptyShelf, scrape
from tests.serving.place import Place
from tests.serving.tiny import late_model

RULES = yaml.safe_load((Path(__file__).parents[2] / "manifests" / "alerts.yaml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def names(families: Any) -> set[str]:
    """Return what the samples of metric families are called."""
    found: set[str] = set()
    for family in families:
        assert isinstance(family, Metric)
        found |= {family.name + suffix for suffix in SUFFIXES[family.type]}
    return found


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What serving, the gate and the inventory tell Prometheus."""
    place = Place(tmp_path_factory.mktemp("store"))
    place.promote(late_model())
    follower, registry = place.follower(), CollectorRegistry()
    follower.look()
    recorder = make_recorder(place.store, Settings(model=place.model), log=logging.getLogger())
    Metrics(registry, follower=follower, recorder=recorder, shadow=None)
    row = Row("m", *(None,) * 7, overdue=(), unwatched=())
    gate = scrape(create_pages_app(EmptyShelf(), Health()))
    return names(registry.collect()) | names(parse(gate)) | names(parse(prometheus_text([row])))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_is_exported(alert: dict[str, Any], exported: set[str]) -> None:
    """A rule about a metric that nobody exports would be silent for ever."""
    asked = set(re.findall(r"\b(?:model)?warrant_\w+", alert["expr"]))

    assert asked
    assert set() == asked - exported


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_and_how_bad(alert: dict[str, Any]) -> None:
    """A summary in one line, and one of two severities."""
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert 0 == alert["annotations"]["summary"].count("\n")
