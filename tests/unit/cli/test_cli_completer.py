"""What is offered at the prompt: what may stand at the cursor, and of the rest why not."""

import datetime
import re
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from flightframe import (
    AnchorsDescription,
    BlockedLevel,
    CollectionDescription,
    Description,
    LevelDescription,
    LevelFacts,
    MetricDescription,
    QueryError,
    SchemaDescription,
)
from flightframe_server.cli.shell.completer import FRESH_SECONDS, NOTE_WIDTH, ServerCompleter
from flightframe_server.cli.shell.finished import is_finished
from flightframe_server.cli.shell.position import position_of

MEMBERS: dict[str, tuple[Any, ...]] = {
    "region": ("East", "O'Hare", "West", None),
    "odd name": ("a\tb", "plain"),
    "day": (datetime.date(2023, 1, 31), datetime.date(2024, 2, 29)),
    "year_no": (2023, 2024, 1999),
}
TYPES = {"region": "text", "odd name": "text", "day": "date", "year_no": "integer"}
REASON = "no edge leads there from " + "a table with a very long name " * 3
DAY_BLOCKED = BlockedLevel("day", "FAN_OUT", REASON)
YEAR_BLOCKED = BlockedLevel("year_no", "FAN_OUT", "no edge")

SHOP = CollectionDescription(
    "shop",
    tuple(LevelDescription(name, type_) for name, type_ in TYPES.items()),
    (
        MetricDescription(
            "stock",
            reducers=("SUM", "LAST"),
            anchors=(
                AnchorsDescription(
                    "SUM", ("region",), blocked=(BlockedLevel("day", "FAN_OUT", REASON),)
                ),
                AnchorsDescription("LAST", ("region", "day"), blocked=(YEAR_BLOCKED,)),
            ),
        ),
        MetricDescription("margin", formula="profit / revenue"),
        MetricDescription("revenue", type="decimal(18,2)", reducers=("SUM",)),
    ),
    (SchemaDescription("sales"), SchemaDescription("region")),
)
OTHER = CollectionDescription("other", (LevelDescription("planet", "text"),))


class Server:
    """A server that describes the shop above, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.answers = True

    def describe(
        self, name: str | None = None, *, collection: str | None = None, members: int | None = None
    ) -> Description:
        self.asked.append(name)
        if not self.answers:
            raise QueryError("UNAVAILABLE", "no answer")
        if name is None:
            return Description("shop", (SHOP, OTHER))
        known = MEMBERS[name]
        facts = LevelFacts("sales", len(known), None in known, None, None, known, "engine_cache")
        level = LevelDescription(name, TYPES[name], facts=facts)
        return Description("shop", (CollectionDescription("shop", (level,)),))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def completer(server: Server) -> ServerCompleter:
    return ServerCompleter(server, "Shop")  # type: ignore[arg-type]


def offered(completer: ServerCompleter, text: str) -> list[Any]:
    return list(completer.get_completions(Document(text), CompleteEvent()))


def results(completer: ServerCompleter, text: str) -> list[str]:
    """Return the texts that each choice would leave before the cursor, from the word on."""
    return [
        re.split(r"\s", text[: len(text) + one.start_position])[-1] + one.text
        for one in offered(completer, text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT reg", ["region"]),
        ("SELECT REV", ["revenue"]),
        ("SELECT region AT od", ['"odd name"']),
        ("SELECT la", ["LAST("]),
        ("SELECT revenue FROM s", ["sales"]),
        ("SELECT revenue A", ["AS", "AT"]),
        ("SELECT revenue AT region ORD", ["ORDER BY"]),
        ("SELECT revenue AT region WHERE region = 'ea", ["'East'"]),
        ("SELECT revenue AT region WHERE region = 'o''h", ["'O''Hare'"]),
        ("SELECT revenue AT region WHERE region IN ('West', 'e", ["'East'"]),
        ("SELECT revenue AT region WHERE region = we", ["'West'"]),
        ("SELECT revenue AT region WHERE day >= '2024", ["'2024-02-29'"]),
        ("SELECT revenue AT region WHERE day >= DATE '2023", ["'2023-01-31'"]),
        ("SELECT revenue AT region WHERE day < 2023", ["'2023-01-31'"]),
        ("SELECT revenue AT region WHERE year_no = 20", ["2023", "2024"]),
        ("SELECT revenue AT region WHERE year_no IN (2023, 1", ["1999"]),
        ("SELECT revenue AT region WHERE year_no BETWEEN 19", ["1999"]),
        # A number that is compared with no level.
        ("SELECT revenue AT region HAVING revenue > 20", []),
        ("SELECT revenue AT region WHERE region = 'West' AND revenue > 'E", []),
        ("SELECT revenue AT region LIMIT 20", []),
        ("desc", ["describe"]),
        ("\\d", ["\\describe"]),
        ("describe ma", ["margin"]),
        ("describe sal", ["sales"]),
        # A level and a schema of one name are one word to choose.
        ("describe reg", ["region"]),
        ("explain SELECT mar", ["margin"]),
        # Of another collection than the one that is asked.
        ("SELECT pla", []),
        # A comment, and a text that is closed, say nothing.
        ("SELECT revenue -- AT\nA", ["AS", "AT"]),
        ("SELECT revenue AT region WHERE region = 'AT' LIM", ["LIMIT"]),
        # WHERE may stand before the anchor as well, and only then does the anchor follow.
        ("SELECT revenue WHERE region = 'West' A", ["AND", "AT"]),
        ("SELECT revenue AT region WHERE region = 'West' A", ["AND"]),
        ("SELECT revenue WHERE region = 'West' LIM", []),
    ],
)
def test_what_may_stand_at_the_cursor(
    completer: ServerCompleter, text: str, expected: list[str]
) -> None:
    assert results(completer, text) == expected


def test_a_member_that_would_act_on_the_terminal_is_not_offered(
    completer: ServerCompleter,
) -> None:
    # The other member of it has a tab.
    text = 'SELECT revenue AT region WHERE "Odd Name" = '
    assert results(completer, f"{text}'") == ["'plain'"]
    assert results(completer, text)[0] == "'plain'"
    assert len(results(completer, "SELECT revenue AT day WHERE region = '")) == 3


def test_what_is_not_lawful_comes_last_and_says_why(completer: ServerCompleter) -> None:
    choices = offered(completer, "SELECT stock AT ")
    names = [one.text for one in choices]
    (day,) = [one for one in choices if one.text == "day"]
    assert names[-1] == "day"
    assert day.display_meta_text == f"FAN_OUT: {REASON}"[: NOTE_WIDTH - 1] + "…"
    assert day.style != ""
    assert {one.style for one in choices if one.text != "day"} == {""}
    # By its other reducer it may be asked there, and not elsewhere.
    for text in ("SELECT LAST(stock) AT ", "SELECT last( stock ) AT "):
        assert {one.text for one in offered(completer, text) if one.style} == {"year_no"}


def test_a_metric_says_what_it_is(completer: ServerCompleter) -> None:
    (margin,) = offered(completer, "SELECT marg")
    assert margin.display_meta_text == "metric, profit / revenue"
    (revenue,) = offered(completer, "SELECT reve")
    assert revenue.display_meta_text == "metric, decimal(18,2)"


def test_the_server_is_asked_once_a_while(
    completer: ServerCompleter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    for _ in range(3):
        results(completer, "SELECT revenue AT day WHERE region = 'E")
    assert server.asked == [None, "region"]
    clock[0] += FRESH_SECONDS + 1
    results(completer, "SELECT revenue AT day WHERE region = 'E")
    assert server.asked == [None, "region", None, "region"]


def test_a_server_that_does_not_answer_has_nothing_to_complete(
    completer: ServerCompleter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    server.answers = False
    assert results(completer, "SELECT reg") == []
    assert results(completer, "hel") == ["help"]
    server.answers = True
    assert results(completer, "SELECT reg") == ["region"]
    # What was known is offered on.
    server.answers = False
    clock[0] += FRESH_SECONDS + 1
    assert results(completer, "SELECT reg") == ["region"]
    assert results(completer, "SELECT revenue AT day WHERE region = '") == []


def test_where_the_cursor_stands() -> None:
    position = position_of("SELECT SUM( Stock ), margin AT re")
    assert (position.clause, position.word, position.compared) == ("AT", "re", False)
    assert position.calls == {"stock": "SUM"}
    assert position.names == ("select", "sum", "stock", "margin", "at")
    assert position_of("").clause == ""


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("SELECT revenue AT region", True),
        ("SELECT revenue AT region WHERE region = 'We", False),
        ("SELECT SUM(revenue", False),
        ("SELECT revenue /* to be", False),
        ("SELECT revenue AT region WHERE", False),
        # Wrong in the middle: more of it does not help.
        ("SELECT FROM AT region LIMIT", True),
        ("SELECT nonsense\n", True),
        ("explain", True),
        ("explain SELECT", False),
        ("describe region", True),
        ("EXIT", True),
        ("\\h", True),
        ("SELECT revenue AT region -- to be\n", True),
        ("SELECT nonsense AT;", True),
    ],
)
def test_enter_asks_what_is_whole(text: str, finished: bool) -> None:
    assert is_finished(text) is finished
