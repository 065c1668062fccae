"""`flightframe.testing`: a server for users' own tests."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flight_calls import BIG, BY_REGION, CENTRAL

import flightframe
from flightframe import testing

CLIENT = Path(__file__).parents[2] / "client"


def test_a_folder_is_served_warm_and_leaves_nothing_behind(retail_folder):
    before = sorted(path.name for path in retail_folder.iterdir())
    with testing.serve(retail_folder) as server:
        assert server.uri.startswith("grpc://127.0.0.1:")
        assert server.uri in repr(server)
        result = server.connection().query(BY_REGION)
        assert result.to_arrow()["total_revenue"][0].as_py() == CENTRAL
        assert result.served_from == "engine_cache"
        connection = server.connection(collection="retail_full")
        assert "retail_full" in repr(connection)
    assert "closed" in repr(connection)
    assert sorted(path.name for path in retail_folder.iterdir()) == before
    with pytest.raises(flightframe.ConnectionFailed), flightframe.connect(server.uri) as late:
        late.query(BY_REGION)
    assert not [thread for thread in threading.enumerate() if "flight" in thread.name]


def test_a_manifest_is_served_with_a_store_that_stays(retail_folder, tmp_path):
    query = "SELECT category, SUM(units) AS pieces AT category"
    labels = []
    for _ in range(2):
        manifest = str(retail_folder / "installation.yaml")
        with testing.serve(manifest, store=tmp_path / "kept") as server:
            result = server.connection().query(query)
            result.to_arrow()
            labels.append(result.served_from)
    assert labels == ["engine_backend", "engine_cache"]


def test_a_result_that_nobody_reads_on_does_not_hold_the_server(retail_folder, monkeypatch):
    monkeypatch.setattr(testing, "GRACE_SECONDS", 0.2)
    with testing.serve(retail_folder) as server:
        batches = iter(server.connection().query(BIG))
        next(batches)


def test_a_wrong_path_is_the_servers_own_error(tmp_path):
    with pytest.raises(Exception, match=r"SETUP: there is no file installation\.yaml"):
        testing.serve(tmp_path).__enter__()


def test_without_the_server_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "flightframe_server.app", None)
    with (
        pytest.raises(flightframe.MissingPackage, match="the server is not installed") as caught,
        testing.serve(tmp_path),
    ):
        pass
    assert "pip install flightframe" in str(caught.value)


def test_importing_it_does_not_import_the_server():
    code = "import sys, flightframe.testing; print('flightframe_server' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(CLIENT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
