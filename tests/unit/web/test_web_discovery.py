"""Descriptions have names for their content, and unknown names are no empty lists."""

from __future__ import annotations

import duckdb
import pytest
from web_shop import CHANGING, shop

from flightframe_server.web.endpoints import discovery as endpoint

DESCRIBE = "/runtime/describe"


def test_a_description_that_the_client_has_is_not_sent_again(client):
    first = client.get(DESCRIBE, params={"name": "town"})
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for header in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        same = client.get(DESCRIBE, params={"name": "town"}, headers={"if-none-match": header})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == tag
    other = client.get(DESCRIBE, params={"name": "amount"}, headers={"if-none-match": tag})
    assert other.status_code == 200
    assert client.post(DESCRIBE, json={"name": "town"}).headers["etag"] == tag


def test_it_is_another_once_the_data_or_the_collection_are(tmp_path):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        tags = [client.get(DESCRIBE).headers["etag"]]
        with duckdb.connect(str(tmp_path / "new.duckdb")) as database:
            database.execute("ATTACH ? AS old (READ_ONLY)", [str(tmp_path / "shop.duckdb")])
            database.execute("CREATE TABLE shops AS SELECT * FROM old.shops")
            database.execute("CREATE TABLE sales AS SELECT * FROM old.sales LIMIT 2")
        (tmp_path / "new.duckdb").rename(tmp_path / "shop.duckdb")
        tags.append(client.get(DESCRIBE).headers["etag"])
        file = tmp_path / "ac.yaml"
        file.write_text(
            file.read_text().replace("name: amount\n", "name: amount\n    description: Paid.\n", 1)
        )
        assert client.post("/runtime/reload").json()["reloaded"]
        answer = client.get(DESCRIBE, headers={"if-none-match": ", ".join(tags)})
        assert "Paid." in answer.text
        tags.append(answer.headers["etag"])
    assert len(set(tags)) == 3


@pytest.mark.parametrize("params", [{"name": "twon"}, {"name": "twon", "members": "1"}])
def test_an_unknown_name_is_refused(client, params):
    refused = client.get(DESCRIBE, params=params)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (404, "UNKNOWN_NAME")
    assert error["hint"] == "did you mean town?"


@pytest.mark.parametrize("members", ["٣", "-1", "1.0", "x", "", "1" * 30, "1_0"])
def test_a_number_of_members_is_written_in_plain_digits(client, members):
    refused = client.get(DESCRIBE, params={"name": "town", "members": members})
    assert refused.json()["error"]["code"] == "PARSE"


def test_more_members_than_are_told_are_refused(client):
    refused = client.get(DESCRIBE, params={"members": "1001"})
    assert refused.json()["error"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "body", [b'{"name": "town", "name": "shop"}', b'{"name": 1}', b'{"members": 1.0}', b"[1]", b"x"]
)
def test_a_body_that_asks_nothing_clear_is_refused(client, body):
    refused = client.post(DESCRIBE, content=body, headers={"content-type": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")


def test_an_empty_body_asks_for_all(client):
    assert client.post(DESCRIBE).json() == client.get(DESCRIBE).json()


def test_a_key_that_stands_twice_is_refused(client):
    assert client.get(f"{DESCRIBE}?name=town&name=shop").status_code == 400


def test_the_names_are_told_once_and_by_another_tag(client):
    full, names = client.get(DESCRIBE), client.get(DESCRIBE, params={"detail": "names"})
    assert names.headers["etag"] != full.headers["etag"]
    (collection,) = names.json()["collections"]
    assert collection["edges"] == [{"from": "shop", "to": "town"}]
    assert [metric["name"] for metric in collection["metrics"]] == ["amount", "double"]
    assert collection["metrics"][1] == {
        "name": "double",
        "description": "",
        "type": "decimal(38,2)",
        "reducers": [],
        "formula": "amount + amount",
        "inputs": ["amount"],
        "required": [],
    }
    tag = {"if-none-match": names.headers["etag"]}
    assert client.get(DESCRIBE, params={"detail": "names"}, headers=tag).status_code == 304


def test_several_names_are_told_in_full_whatever_their_order(client):
    first = client.get(DESCRIBE, params={"names": "town,amount"})
    again = client.get(DESCRIBE, params={"names": '"AMOUNT",town'})
    body = client.post(DESCRIBE, json={"names": ["amount", "town"]})
    assert first.json() == again.json() == body.json()
    assert first.headers["etag"] == again.headers["etag"] == body.headers["etag"]
    (collection,) = first.json()["collections"]
    assert [level["name"] for level in collection["levels"]] == ["town"]
    (metric,) = collection["metrics"]
    assert metric["anchors"][0]["levels"] == ["shop", "town", "sale"]


def test_where_metrics_stand_to_one_level_alone(client):
    (collection,) = client.get(DESCRIBE, params={"at": "town"}).json()["collections"]
    anchors = [metric["anchors"] for metric in collection["metrics"]]
    assert [one["levels"] for (one,) in anchors] == [["town"], ["town"]]


@pytest.mark.parametrize(
    ("params", "hint"),
    [
        ({"names": "amount,twon"}, "did you mean town?"),
        ({"names": "amonut", "detail": "names"}, "did you mean amount?"),
        ({"at": "twon"}, "did you mean town?"),
    ],
)
def test_an_unknown_name_of_several_is_refused(client, params, hint):
    refused = client.get(DESCRIBE, params=params)
    assert (refused.status_code, refused.json()["error"]["hint"]) == (404, hint)


@pytest.mark.parametrize(
    "query",
    ["names=", "names=a,", "names=town&names=amount", "names=town&name=shop", "detail=all", "at=,"],
)
def test_names_that_are_not_clear_are_refused(client, query):
    refused = client.get(f"{DESCRIBE}?{query}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PARSE")


def test_a_description_is_packed_where_that_is_taken(client, monkeypatch):
    monkeypatch.setattr(endpoint, "LEAST_BYTES", 1)
    packed = client.get(DESCRIBE, headers={"accept-encoding": "gzip"})
    plain = client.get(DESCRIBE, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    for reply in (packed, plain):
        assert "accept-encoding" in reply.headers["vary"].lower()
        assert reply.headers["etag"] == packed.headers["etag"]
    again = client.get(DESCRIBE, headers={"accept-encoding": "gzip"})
    assert again.content == plain.content


def test_a_packed_description_is_told_no_longer_than_it_is_right(tmp_path, monkeypatch):
    monkeypatch.setattr(endpoint, "LEAST_BYTES", 1)
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        headers = {"accept-encoding": "gzip"}
        assert "Paid." not in client.get(DESCRIBE, headers=headers).text
        file = tmp_path / "ac.yaml"
        file.write_text(
            file.read_text().replace("name: amount\n", "name: amount\n    description: Paid.\n", 1)
        )
        assert client.post("/runtime/reload").json()["reloaded"]
        assert "Paid." in client.get(DESCRIBE, headers=headers).text


def test_a_packed_description_is_made_once(client, monkeypatch):
    monkeypatch.setattr(endpoint, "LEAST_BYTES", 1)
    made = []
    from_scratch = endpoint.description_of

    def counted(*arguments):
        made.append(arguments)
        return from_scratch(*arguments)

    monkeypatch.setattr(endpoint, "description_of", counted)
    ask = {"params": {"names": "shop,town,amount,double"}, "headers": {"accept-encoding": "gzip"}}
    first, again = client.get(DESCRIBE, **ask), client.get(DESCRIBE, **ask)
    assert (first.content, len(made)) == (again.content, 1)
