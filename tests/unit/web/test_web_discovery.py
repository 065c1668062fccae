"""Descriptions have names for their content, and unknown names are no empty lists."""

from __future__ import annotations

import duckdb
import pytest
from web_shop import CHANGING, shop

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
