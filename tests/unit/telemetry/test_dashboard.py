"""The dashboard of the docs asks for metrics that there are, by labels that they have."""

import json
import re
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flightframe_server.answer import answer
from flightframe_server.request import Request

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-dashboard.json"
NAME = re.compile(r"\b(?:flightframe|process)_\w+")
LABELS = re.compile(r"by \(([^)]*)\)|\{(\w+)=|\{\{(\w+)\}\}")


def expressions() -> list[tuple[str, str]]:
    """Return what each panel asks, and how it names the lines."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [
        (target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]
    ]


def test_every_metric_of_the_dashboard_is_told_with_the_labels_that_it_is_drawn_by(shop):
    answer(Request("SELECT amount AT town"), shop.runtime)
    shop.runtime.metrics.refused("flight", "PARSE")
    shop.runtime.metrics.shadowed("shop", "same")
    told: dict[str, set[str]] = {}
    text = generate_latest(shop.runtime.metrics.registry).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            told.setdefault(sample.name, set()).update(sample.labels)
    for expression, legend in expressions():
        names = NAME.findall(expression)
        assert names
        for name in names:
            assert name in told, name
        groups = LABELS.findall(f"{expression} {legend}")
        labels = {label.strip() for group in groups for one in group for label in one.split(",")}
        assert labels - {""} <= set.union(*(told[name] for name in names)), expression


def test_the_dashboard_draws_every_metric_of_the_server(shop):
    answer(Request("SELECT amount AT town"), shop.runtime)
    drawn = " ".join(expression for expression, _ in expressions())
    families = {family.name for family in shop.runtime.metrics.registry.collect()}
    ours = {name for name in families if name.startswith("flightframe_")}
    assert ours
    assert {name for name in ours if name not in drawn} == set()
