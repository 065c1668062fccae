"""The engine of a session: manifest, recommendations, promotion, refresh, eviction."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from web_shop import CHANGING, TOTAL, Shop, shop


@pytest.fixture
def fresh(tmp_path) -> Iterator[tuple[Shop, httpx.Client, str]]:
    """A shop of one's own, a client that may change it, and the address of a session's engine."""
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        session = client.post("/sessions").json()["id"]
        yield running, client, f"/sessions/{session}/engine"


def ask(client: httpx.Client, source: str) -> None:
    assert client.post("/runtime/query", json={"source": source}).status_code == 200


def test_the_manifest_tells_of_entries_and_of_no_value(fresh):
    _, client, engine = fresh
    ask(client, TOTAL)
    ask(client, "SELECT amount WHERE town = 'North' AT ()")
    ask(client, "SELECT SUM(amount) FILTER (WHERE shop = 'a') AS a AT town")
    answer = client.get(f"{engine}/manifest")
    assert "North" not in answer.text
    assert "'a'" not in answer.text
    manifest = answer.json()
    assert manifest["entry_count"] == len(manifest["entries"])
    # The second was rolled up from the first.
    assert (manifest["misses"], manifest["rollups"], manifest["hot_hits"]) == (2, 1, 0)
    assert manifest["bytes"] == sum(entry["bytes"] for entry in manifest["entries"])
    percent = 100 * manifest["bytes"] / manifest["budget_bytes"]
    assert manifest["budget_percent"] == pytest.approx(percent, abs=0.0001)
    plain = next(entry for entry in manifest["entries"] if entry["anchor"] == ["town"])
    assert (plain["family"], plain["operator"], plain["rows"]) == ("amount", "SUM", 2)
    filtered = [entry for entry in manifest["entries"] if entry["filtered"]]
    assert {tuple(entry["filter"]) for entry in filtered} == {("town",), ("shop",)}
    assert all(entry["fresh"] for entry in manifest["entries"])


def test_what_is_asked_often_is_recommended_and_promoted(fresh):
    running, client, engine = fresh
    for _ in range(3):
        ask(client, TOTAL)
    zero = {"min_hits": "0", "min_age_days": "0", "min_hits_per_day": "0"}
    assert client.get(f"{engine}/recommendations").json()["recommendations"] == []
    (recommended,) = client.get(f"{engine}/recommendations", params=zero).json()["recommendations"]
    assert (recommended["family"], recommended["anchor"], recommended["hits"]) == (
        "amount",
        ["town"],
        2,
    )
    assert recommended["stanza"].startswith(
        "# Add to metric_family 'amount' in ac.yaml:\ncache_hint:\n"
    )
    promotions = {"promotions": [{"family": "amount", "anchor": ["town"]}]}
    file = running.folder / "ac.yaml"
    before = file.read_text()
    shown = client.post(f"{engine}/promote", json=promotions).json()
    assert (shown["applied"], file.read_text()) == (False, before)
    assert "+" in shown["diff"]
    applied = client.post(f"{engine}/promote", json={**promotions, "hash": shown["hash"]}).json()
    assert (applied["applied"], applied["diff"]) == (True, shown["diff"])
    assert applied["reload"]["changed"] == ["shop"]
    assert "materialize_at" in file.read_text()
    # Promoting twice changes nothing, and a difference that was shown before is no longer one.
    again = client.post(f"{engine}/promote", json=promotions).json()
    assert (again["diff"], again["promotions"]) == ("", [])
    stale = client.post(f"{engine}/promote", json={**promotions, "hash": shown["hash"]})
    assert stale.json()["error"]["code"] == "TICKET"
    assert client.get(f"{engine}/recommendations", params=zero).json()["recommendations"] == []


@pytest.mark.parametrize(
    ("promotion", "code"),
    [
        ({"family": "amuont", "anchor": ["town"]}, "UNKNOWN_NAME"),
        ({"family": "amount", "anchor": ["twon"]}, "UNKNOWN_NAME"),
        ({"family": "double", "anchor": ["town"]}, "NOT_SUPPORTED"),
        ({"family": "amount"}, "TYPE"),
        ({"family": "amount", "anchor": "town"}, "TYPE"),
        ({"family": "amount", "anchor": ["town"], "more": 1}, "PARSE"),
        (1, "TYPE"),
    ],
)
def test_what_could_be_no_hint_is_refused(fresh, promotion, code):
    _, client, engine = fresh
    refused = client.post(f"{engine}/promote", json={"promotions": [promotion]})
    assert refused.json()["error"]["code"] == code


@pytest.mark.parametrize("body", [{}, {"promotions": []}, {"promotions": 1}, {"hash": "x"}])
def test_a_promotion_of_nothing_is_refused(fresh, body):
    _, client, engine = fresh
    assert client.post(f"{engine}/promote", json=body).status_code == 400


def test_an_entry_is_refreshed_and_evicted_by_its_id(fresh):
    _, client, engine = fresh
    ask(client, TOTAL)
    (entry,) = client.get(f"{engine}/manifest").json()["entries"]
    done = client.post(f"{engine}/refresh", json={"entry_ids": [entry["id"]]}).json()
    assert done["refreshed"] == [
        {"family": "amount", "anchor": ["town"], "operator": "SUM", "fresh": True}
    ]
    assert client.delete(f"{engine}/entries/{entry['id']}").json() == {"evicted": True}
    assert client.get(f"{engine}/manifest").json()["entries"] == []
    for refused in (
        client.delete(f"{engine}/entries/{entry['id']}"),
        client.post(f"{engine}/refresh", json={"entry_ids": [entry["id"]]}),
    ):
        assert refused.json()["error"]["code"] == "UNKNOWN_NAME"
    assert client.post(f"{engine}/refresh").json() == {"refreshed": [], "failed": []}


@pytest.mark.parametrize("value", ["-1", "x", "1e3", "1.2.3", "", "9" * 30, "nan"])
def test_a_threshold_is_a_plain_number(fresh, value):
    _, client, engine = fresh
    refused = client.get(f"{engine}/recommendations", params={"min_hits": value})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "TYPE")
