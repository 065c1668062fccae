"""Health is whether it answers, readiness whether it should be asked."""

from __future__ import annotations

from web_shop import AUTH, CHANGING, PASSWORDS, shop

from flightframe_server.web.readiness import Readiness


def codes(client) -> tuple[int, list[str]]:
    response = client.get("/readyz")
    return response.status_code, [one["code"] for one in response.json().get("reasons", [])]


def test_a_server_says_why_it_is_not_ready(tmp_path):
    with shop(tmp_path) as running, running.client() as client:
        assert client.get("/readyz").json() == {"ready": True}
        with running.server.readiness.warming():
            assert codes(client) == (503, ["WARMING_UP"])
            assert client.get("/healthz").status_code == 200
        assert codes(client) == (200, [])
        database = tmp_path / "shop.duckdb"
        database.rename(tmp_path / "elsewhere.duckdb")
        status, reasons = codes(client)
        assert (status, reasons) == (503, ["BACKEND_UNREACHABLE"])
        (tmp_path / "elsewhere.duckdb").rename(database)
        assert codes(client) == (200, [])
        running.server.readiness.drain()
        assert codes(client) == (503, ["DRAINING"])


def test_two_that_warm_up_are_both_waited_for():
    readiness = Readiness()
    with readiness.warming():
        with readiness.warming():
            pass
        assert [reason.code for reason in readiness.reasons({})] == ["WARMING_UP"]
    assert readiness.reasons({}) == ()


def test_a_broken_file_is_told_and_the_old_one_served(tmp_path):
    with shop(tmp_path) as running, running.client(headers=CHANGING) as client:
        file = tmp_path / "ac.yaml"
        sound = file.read_text()
        file.write_text(sound.replace("SUM", "SOME"))
        outcome = client.post("/runtime/reload").json()
        assert outcome["reloaded"] is False
        health = client.get("/healthz").json()
        assert "user" not in health
        assert (health["status"], health["reload"]["state"]) == ("degraded", "failed")
        (mistake,) = health["reload"]["errors"]
        assert mistake["file"] == "ac.yaml"
        assert mistake["line"] > 0
        assert str(tmp_path) not in client.get("/healthz").text
        assert (
            client.post("/runtime/query", json={"source": "SELECT amount AT ()"}).status_code == 200
        )
        file.write_text(sound)
        assert client.post("/runtime/reload").json()["reloaded"] is True
        assert client.get("/healthz").json()["status"] == "ok"


def test_who_was_not_let_in_is_told_no_names(tmp_path):
    with shop(tmp_path, AUTH) as running:
        with running.client("alice", headers=CHANGING) as alice:
            assert alice.get("/healthz").json()["collections"] == ["shop"]
            assert alice.get("/healthz").json()["user"] == "alice"
            file = tmp_path / "ac.yaml"
            file.write_text(file.read_text().replace("column: amount", "column: nonsense"))
            assert alice.post("/runtime/reload").json()["reloaded"] is False
            assert alice.get("/healthz").json()["reload"]["errors"]
        with running.client() as stranger:
            for auth in (None, ("alice", "a guess")):
                health = stranger.get("/healthz", auth=auth)
                assert health.status_code == 200
                assert health.json()["reload"]["errors"] == []
                assert not {"collections", "user"} & set(health.json())
                assert "nonsense" not in health.text
        assert PASSWORDS["alice"] not in health.text
