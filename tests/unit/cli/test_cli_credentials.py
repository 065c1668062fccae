"""`user add`, `token new`, `serve --insecure`, and how a command says who asks."""

from __future__ import annotations

import datetime
import getpass
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import flightframe
from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.access.passwords import verify
from flightframe_server.access.tokens import digest_of
from flightframe_server.cli import app

Start = Callable[..., "subprocess.Popen[str]"]
PASSWORD = "correct horse"


def run(*arguments: str | Path, given: str = "", **environment: str) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=given, env=environment)


def add(name: str, *more: str | Path, given: str = f"{PASSWORD}\n") -> Result:
    return run("user", "add", name, "--password-stdin", *more, given=given)


def test_a_user_is_written_into_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "users.yaml"
    done = add("alice", "--file", file)
    assert (done.exit_code, done.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert verify(read_users(file.read_text())["alice"], PASSWORD)
    assert PASSWORD not in file.read_text() + done.output
    assert [path.name for path in tmp_path.iterdir()] == ["users.yaml"]


@pytest.mark.slow
def test_a_second_user_a_changed_password_and_the_mode_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "users.yaml"
    add("alice", "--file", file)
    file.chmod(0o640)
    before = file.read_text()
    add("bob", "--file", file)
    assert file.read_text().startswith(before)
    add("alice", "--file", file, given="another one\n")
    users = read_users(file.read_text())
    assert verify(users["alice"], "another one")
    assert verify(users["bob"], PASSWORD)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_without_a_file_the_lines_are_printed() -> None:
    done = add("alice")
    assert verify(read_users(done.stdout)["alice"], PASSWORD)


def test_a_person_types_the_password_until_it_is_twice_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it is typed in tests/clients/test_interrupts.py; here the lines are given."""
    file = tmp_path / "users.yaml"
    lines, asked = [PASSWORD, "correct hose", "", PASSWORD, PASSWORD], []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return lines.pop(0)

    monkeypatch.setattr(getpass, "getpass", typed)
    done = run("user", "add", "alice", "--file", file)
    assert done.exit_code == 0
    first, again = "Password: ", "Repeat for confirmation: "
    assert asked == [first, again, first, first, again]
    assert "The two do not match." in done.stderr
    assert verify(read_users(file.read_text())["alice"], PASSWORD)
    assert PASSWORD not in done.output


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("al:ice", f"{PASSWORD}\n", "a user name holds no colon"),
        ("", f"{PASSWORD}\n", "a name must not be empty"),
        ("alice", "short\n", "at least 8 characters"),
        ("alice", "", "at least 8 characters"),
    ],
)
def test_what_is_no_user(tmp_path: Path, name: str, given: str, told: str) -> None:
    file = tmp_path / "users.yaml"
    done = add(name, "--file", file, given=given)
    assert done.exit_code == 1
    assert told in done.stderr
    assert not file.exists()


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "users.yaml"
    file.write_text("users: [alice]\n")
    done = add("bob", "--file", file)
    assert done.exit_code == 1
    assert "users.yaml, line 1" in done.stderr
    assert file.read_text() == "users: [alice]\n"


def test_a_token_is_shown_once_and_its_hash_kept(tmp_path: Path) -> None:
    file = tmp_path / "tokens.yaml"
    done = run("token", "new", "grafana", "--file", file, "--expires", "2999-01-31")
    assert done.exit_code == 0
    token = done.stdout.strip()
    assert re.fullmatch(r"fft_[A-Za-z0-9_-]{43}", token)
    assert token not in file.read_text() + done.stderr
    found = read_tokens(file.read_text())[digest_of(token)]
    assert (found.user, found.ends) == ("grafana", 32_474_822_400.0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run("token", "new", "nightly", "--file", file).stdout.strip()
    assert {known.user for known in read_tokens(file.read_text()).values()} == {
        "grafana",
        "nightly",
    }
    assert again != token


def test_a_token_whose_last_day_is_over_is_refused_and_one_of_today_is_made(
    tmp_path: Path,
) -> None:
    file = tmp_path / "tokens.yaml"
    today = datetime.datetime.now(datetime.UTC).date()
    for day in (today - datetime.timedelta(days=1), datetime.date(1999, 1, 1)):
        done = run("token", "new", "grafana", "--file", file, "--expires", str(day))
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"{day} is over" in done.stderr
        assert not file.exists()
    # Tomorrow's, lest the day ends between here and there.
    tomorrow = today + datetime.timedelta(days=1)
    assert run("token", "new", "a", "--file", file, "--expires", str(tomorrow)).exit_code == 0


def test_a_token_without_a_file() -> None:
    done = run("token", "new", "grafana")
    assert digest_of(done.stdout.strip()) in read_tokens(done.stderr)


@pytest.mark.parametrize("host", ["0.0.0.0", "'::'"])
def test_nothing_is_opened_where_others_could_reach_it_unprotected(shop: Path, host: str) -> None:
    shop.write_text(shop.read_text().replace("127.0.0.1", host))
    # Were anything opened, the missing database would be told.
    (shop.parent / "shop.duckdb").unlink()
    done = run("serve", shop)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the manifest lacks server.tls and server.auth" in done.stderr
    assert "--insecure" in done.stderr
    insecure = run("serve", shop, "--insecure")
    assert "there is no database file" in insecure.stderr


@pytest.mark.slow
def test_insecure_is_told_in_the_log(start: Start, shop: Path) -> None:
    shop.write_text(shop.read_text().replace("host: 127.0.0.1", "host: 0.0.0.0"))
    process = start("serve", shop, "--insecure", "--skip-warmup")
    assert process.stdout is not None
    assert " flight=grpc://0.0.0.0:" in process.stdout.readline()
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert '"event": "serve.insecure"' in err


@pytest.mark.slow
def test_a_command_says_who_asks(start: Start, shop: Path) -> None:
    users, tokens = shop.parent / "users.yaml", shop.parent / "tokens.yaml"
    add("alice", "--file", users)
    token = run("token", "new", "nightly", "--file", tokens).stdout.strip()
    settings = "http_port: 0, auth: {users: users.yaml, tokens: tokens.yaml}"
    shop.write_text(shop.read_text().replace("http_port: 0", settings))
    process = start("serve", shop, "--skip-warmup", "--no-http")
    assert process.stdout is not None
    uri = process.stdout.readline().split()[2].removeprefix("flight=")
    asked = ("query", "SELECT town, SUM(amount) AS total AT town", "--uri", uri, "--format", "csv")
    wanted = '"town","total"\n"North",0.30\n"South",1.05\n'
    assert run(*asked, FLIGHTFRAME_TOKEN=token).stdout == wanted
    named = {"FLIGHTFRAME_USER": "alice", "FLIGHTFRAME_PASSWORD": PASSWORD}
    assert run(*asked, **named).stdout == wanted
    assert run(*asked, "--user", "alice", FLIGHTFRAME_PASSWORD=PASSWORD).stdout == wanted
    nobody = run(*asked)
    assert nobody.exit_code == 1
    assert nobody.stderr.startswith("error UNAUTHENTICATED: this server asks for credentials")
    wrong = run(*asked, "--user", "alice", FLIGHTFRAME_PASSWORD="guess")
    assert "the user name or the password is wrong" in wrong.stderr
    silent = run(*asked, "--user", "alice")
    assert "FLIGHTFRAME_PASSWORD" in silent.stderr
    with pytest.raises(flightframe.AuthenticationFailed):
        flightframe.connect(uri, username="alice", password="guess")


def test_check_reads_the_files_of_users_and_certificates(shop: Path) -> None:
    settings = "http_port: 0, auth: {users: users.yaml}"
    shop.write_text(shop.read_text().replace("http_port: 0", settings))
    assert "there is no file users.yaml" in run("check", shop).stderr
    (shop.parent / "users.yaml").write_text("users: {alice: hunter2}\n")
    told = run("check", shop)
    assert told.exit_code == 1
    assert "users.yaml, line 1, users.alice: expected a hash" in told.stderr
    assert "hunter2" not in told.output
