"""Did a plan or the SQL of a dialect change?

The questions stand in `questions.yaml`, their plans in `plan/`, their SQL in `sql/`. What
`make snapshots` rewrites there is read before it is kept.
"""

import pytest
from golden_shop import DIALECTS, HERE, plan_text, questions, sql_text

QUESTIONS = questions()


def named(asked):
    return asked.name


@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_the_plan_of_a_question(asked, databases, held_against):
    held_against(HERE / "plan" / f"{asked.name}.txt", plan_text(asked, databases["duckdb"]))


@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_the_plan_is_the_same_for_every_dialect(asked, databases):
    assert len({plan_text(asked, database) for database in databases.values()}) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_the_sql_of_a_question(asked, dialect, databases, held_against):
    path = HERE / "sql" / f"{asked.name}.{dialect}.sql"
    held_against(path, sql_text(asked, dialect, databases[dialect]))


VALUES = {
    "filter_pushed_down": ["East", "West", "2024-01-31"],
    "lookup_column": ["S1"],
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", VALUES)
def test_values_are_bound_and_never_pasted(name, dialect, databases):
    (asked,) = [question for question in QUESTIONS if question.name == name]
    written = sql_text(asked, dialect, databases[dialect]).partition("\n")[2]
    assert not [value for value in VALUES[name] if value in written]
    mark = {"duckdb": "$p0", "sqlite": ":p0"}[dialect]
    assert mark in written


def test_nothing_is_kept_that_no_question_writes():
    kept = {path.name for folder in ("plan", "sql") for path in (HERE / folder).iterdir()}
    plans = {f"{asked.name}.txt" for asked in QUESTIONS}
    assert kept == plans | {
        f"{asked.name}.{dialect}.sql" for asked in QUESTIONS for dialect in DIALECTS
    }
