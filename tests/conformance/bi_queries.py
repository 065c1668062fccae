"""SELECTs by chance, of every construct that is answered, each with its text for the flat tables.

What comes in: a source of chance. What goes out: texts over `metrics` or a table of facts, the
constructs that each has, and the same text over the flat table that holds its rows. A text may be
one that is refused; it is never one without a meaning over the flat table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

SALES_LEVELS = ("region", "store", "category", "product", "month", "quarter", "year", "week", "day")
STOCK_LEVELS = ("region", "store", "month", "quarter", "year")
TEXTS = ("region", "store", "category", "product")
DATES = ("day", "week", "month", "quarter", "year")
WORDS = {
    "region": ("East", "West", "eastern", "North"),
    "store": ("S01", "S02", "S99", "S04"),
    "category": ("Toys", "toys", "Tools", "Kitchen"),
    "product": ("A", "B", "Z", "F"),
}
PATTERNS = ("E%", "%s%", "_o%", "T_ys", "%", "S0_")
STATISTICS = ("AVG", "MIN", "MAX", "COUNT", "MEDIAN", "STDDEV", "VAR_SAMP")
UNITS = ("month", "quarter", "year", "week", "day", "second")


@dataclass
class Query:
    """One text: as it is asked, as the flat table is asked, and what it is made of."""

    sql: str
    flat: str
    ordered: bool
    constructs: list[str] = field(default_factory=list)


@dataclass
class Queries:
    """A source of queries."""

    chance: Random

    def next(self) -> Query:
        """Return a query."""
        self._used: list[str] = []
        self._source = self._pick(["metrics"] * 6 + ["transactions", "stock"])
        self._levels = STOCK_LEVELS if self._source == "stock" else SALES_LEVELS
        kind = self._pick(["plain"] * 6 + ["over groups", "nested", "rows", "columns", "total"])
        self._use(kind)
        sql, ordered = getattr(self, f"_{kind.replace(' ', '_')}")()
        table = {"stock": "metrics"}.get(self._source, self._source)
        flat = {"stock": "flat_stock", "metrics": "flat_sales"}.get(self._source, self._source)
        return Query(sql.replace("@", table), sql.replace("@", flat), ordered, self._used)

    def _pick(self, values):
        return self.chance.choice(list(values))

    def _often(self, share: float) -> bool:
        return self.chance.random() < share

    def _use(self, what: str) -> None:
        self._used.append(what)

    def _keys(self, most: int = 3) -> list[str]:
        return self.chance.sample(self._levels, self.chance.randint(1, most))

    def _plain(self) -> tuple[str, bool]:
        return self._select(self._keys(), "@")

    def _total(self) -> tuple[str, bool]:
        return self._select([], "@")

    def _columns(self) -> tuple[str, bool]:
        """Return a SELECT over a sub-select, or a WITH, of columns alone."""
        if self._source == "transactions":
            self._source = "metrics"
        where = self._where()
        if self._often(0.5):
            self._use("sub-select of columns")
            return self._select(self._keys(2), f"(SELECT * FROM @{where}) AS q")
        self._use("WITH")
        inner = f"WITH q AS (SELECT * FROM @{where}) "
        sql, ordered = self._select(self._keys(2), "q")
        return inner + sql, ordered

    def _select(self, keys: list[str], source: str) -> tuple[str, bool]:
        items = [self._key(level, at) for at, level in enumerate(keys)]
        values = [f"{self._value(1)} AS v{n}" for n in range(self.chance.randint(1, 3))]
        # Rows that are counted are of the schema of a metric beside them.
        values.append(f"COUNT({self._metric()}) AS v9")
        names = [name for _, name, _ in items]
        listed = [f"{text} AS {name}" for text, name, _ in items]
        sql = f"SELECT {', '.join([*listed, *values])} FROM {source}{self._where(pin=not keys)}"
        if keys:
            self._use("GROUP BY")
            form = self._pick(["text", "ordinal", "name", "all"])
            self._use(f"GROUP BY {form}")
            forms = {
                "text": [text for text, _, _ in items],
                "ordinal": [str(n + 1) for n in range(len(items))],
                "name": names,
                "all": ["ALL"],
            }
            sql += f" GROUP BY {', '.join(forms[form])}"
        if self._often(0.3):
            self._use("HAVING")
            sql += f" HAVING {self._condition_on_values()}"
        return self._ended(sql, names)

    def _ended(self, sql: str, names: list[str]) -> tuple[str, bool]:
        """Return a text with ORDER BY and LIMIT whose rows chance does not choose."""
        if not names or not self._often(0.4):
            return sql, False
        self._use("ORDER BY")
        ways = ["", " ASC", " DESC", " DESC NULLS LAST", " NULLS FIRST", " DESC NULLS FIRST"]
        sql += " ORDER BY " + ", ".join(name + self._pick(ways) for name in names)
        if self._often(0.5):
            self._use("LIMIT")
            sql += f" LIMIT {self.chance.randint(0, 9)}"
            if self._often(0.4):
                self._use("OFFSET")
                sql += f" OFFSET {self.chance.randint(0, 4)}"
        return sql, True

    def _key(self, level: str, at: int) -> tuple[str, str, str]:
        name = f"k{at}"
        if level == "day" and self._source != "stock" and self._often(0.6):
            self._use("DATE_TRUNC")
            unit = self._pick(UNITS)
            inner = self._pick(["day", "CAST(day AS TIMESTAMP)"])
            text = f"DATE_TRUNC('{unit}', {inner})"
            if self._often(0.3):
                self._use("CAST to DATE")
                text = f"CAST({text} AS DATE)"
            return text, name, level
        if self._often(0.12):
            self._use("GROUP BY an expression")
            return self._expression(level), name, level
        if level in TEXTS and self._often(0.1):
            self._use("CAST to TEXT")
            return f"CAST({level} AS TEXT)", name, level
        return level, name, level

    def _expression(self, level: str) -> str:
        if level in DATES:
            part = self._pick(["year", "month", "quarter", "isodow"])
            return f"EXTRACT({part} FROM {level})"
        one, other = self.chance.sample(WORDS[level], 2)
        forms = [
            f"CASE WHEN {level} = '{one}' THEN 'one' WHEN {level} > '{other}' THEN 'more' END",
            f"COALESCE({level}, 'none')",
            f"UPPER({level})",
            f"{level} || '-'",
            f"{level} IN ('{one}', '{other}')",
            f"SUBSTRING({level}, 1, 1)",
        ]
        return self._pick(forms)

    def _metric(self) -> str:
        if self._source == "stock":
            return "on_hand"
        return self._pick(["revenue", "units", "cost"])

    def _aggregate(self) -> str:
        metric = self._metric()
        kind = self.chance.random()
        if kind < 0.3:
            self._use("SUM")
            text = f"SUM({metric})"
        elif kind < 0.5:
            name = self._pick(STATISTICS)
            self._use(name)
            text = f"{name}({metric})"
        elif kind < 0.56:
            self._use("COUNT(DISTINCT)")
            text = f"COUNT(DISTINCT {self._pick([metric, *self._levels])})"
        elif kind < 0.66:
            self._use("COUNT(*)")
            text = self._pick(["COUNT(*)", "COUNT(1)", "SUM(1)"])
            if self._source == "stock":
                text = f"({text} + 0 * COUNT(on_hand))"
                return text
        elif kind < 0.72 and metric != "on_hand":
            self._use("PERCENTILE_CONT")
            share = self._pick(["0.25", "0.5", "0.9"])
            return f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {metric})"
        else:
            return self._case(metric)
        if self._often(0.25):
            self._use("FILTER")
            text += f" FILTER (WHERE {self._condition()})"
        return text

    def _case(self, metric: str) -> str:
        name = self._pick(["SUM", "SUM", "AVG", "MIN", "MAX", "COUNT"])
        form = self._pick(["without ELSE", "ELSE 0", "ones", "ones ELSE 0", "distinct"])
        self._use(f"CASE {form}")
        condition = self._condition()
        match form:
            case "without ELSE":
                return f"{name}(CASE WHEN {condition} THEN {metric} END)"
            case "ELSE 0":
                return f"SUM(CASE WHEN {condition} THEN {metric} ELSE 0 END)"
            case "ones":
                return f"{self._pick(['SUM', 'COUNT'])}(CASE WHEN {condition} THEN 1 END)"
            case "ones ELSE 0":
                name = self._pick(["SUM", "MIN", "MAX"])
                return f"{name}(CASE WHEN {condition} THEN 1 ELSE 0 END)"
        return f"COUNT(DISTINCT CASE WHEN {condition} THEN {self._pick(self._levels)} END)"

    def _value(self, depth: int) -> str:
        if depth == 0 or self._often(0.6):
            return self._aggregate()
        self._use("arithmetic")
        one, other = self._value(depth - 1), self._value(depth - 1)
        number = self._pick(["1", "2", "0.5", "100"])
        forms = [
            f"{one} + {other}",
            f"{one} - {number}",
            f"{number} * ({one})",
            f"{one} / NULLIF({other}, 0)",
            f"COALESCE({one}, {number})",
            f"CASE WHEN {one} > {number} THEN {other} END",
            f"NULLIF({one}, {number})",
            f"ABS({one})",
            f"-({one})",
        ]
        return self._pick(forms)

    def _condition_on_values(self) -> str:
        one = self._aggregate()
        number = self._pick(["0", "1", "5", "40.5"])
        forms = [
            f"{one} > {number}",
            f"{one} IS NOT NULL",
            f"{one} IS NULL",
            f"NOT ({one} <= {number})",
            f"{one} BETWEEN {number} AND 500",
            f"{one} >= {number} AND {self._aggregate()} < 1000",
            f"{one} = {number} OR COUNT(*) > 1"
            if self._source != "stock"
            else f"{one} <> {number}",
        ]
        return self._pick(forms)

    def _where(self, pin: bool = False) -> str:
        parts = [self._condition()] if self._often(0.5) else []
        if self._source == "stock" and (pin or self._often(0.5)):
            parts.append(f"month = DATE '2024-0{self.chance.randint(1, 4)}-01'")
        if not parts:
            return ""
        self._use("WHERE")
        return f" WHERE {' AND '.join(f'({part})' for part in parts)}"

    def _condition(self, depth: int = 1) -> str:
        if depth and self._often(0.3):
            self._use("AND, OR, NOT")
            one, other = self._condition(depth - 1), self._condition(depth - 1)
            return self._pick([f"{one} AND {other}", f"{one} OR {other}", f"NOT ({one})"])
        if self._often(0.06):
            self._use("constants folded")
            return self._pick(["1 = 1", "TRUE", "'a' = 'a'", "2 > 1"])
        level = self._pick(self._levels)
        return self._on_date(level) if level in DATES else self._on_text(level)

    def _on_text(self, level: str) -> str:
        words = WORDS[level]
        one, other = self._pick(words), self._pick(words)
        compare = self._pick(["=", "<>", "<", "<=", ">", ">="])
        forms = {
            "comparison": f"{level} {compare} '{one}'",
            "IN": f"{level} IN ('{one}', '{other}')",
            "NOT IN": f"{level} NOT IN ('{one}', '{other}')",
            "LIKE": f"{level} LIKE '{self._pick(PATTERNS)}'",
            "NOT LIKE": f"{level} NOT LIKE '{self._pick(PATTERNS)}'",
            "ILIKE": f"{level} ILIKE '{self._pick(PATTERNS)}'",
            "IS NULL": f"{level} IS NULL",
            "IS NOT NULL": f"{level} IS NOT NULL",
            "BETWEEN": f"{level} BETWEEN '{one}' AND '{other}'",
            "DISTINCT FROM": f"{level} IS DISTINCT FROM '{one}'",
            "NOT DISTINCT FROM": f"{level} IS NOT DISTINCT FROM '{one}'",
            "LOWER": f"LOWER({level}) = '{one.lower()}'",
            "COALESCE": f"COALESCE({level}, 'none') <> '{one}'",
            "SUBSTRING": f"SUBSTRING({level}, 1, 1) = '{one[:1]}'",
            "concatenation": f"{level} || 'x' = '{one}x'",
        }
        name = self._pick(forms)
        self._use(name)
        return forms[name]

    def _on_date(self, level: str) -> str:
        day = f"2023-{self.chance.randint(1, 12):02}-{self._pick(['01', '15'])}"
        forms = {
            "date": f"{level} {self._pick(['=', '<', '>=', '<>'])} DATE '{day}'",
            "date as text": f"{level} >= '{day}'",
            "timestamp": f"{level} < TIMESTAMP '{day} 00:00:00'",
            "dates BETWEEN": f"{level} BETWEEN DATE '{day}' AND DATE '2024-03-01'",
            "dates NOT BETWEEN": f"{level} NOT BETWEEN '{day}' AND '2024-03-01'",
            "EXTRACT": f"EXTRACT({self._pick(['year', 'month', 'dow', 'week'])} FROM {level}) < 7",
            "date arithmetic": f"{level} > DATE '{day}' + INTERVAL '40 days'",
            "date IS NULL": f"{level} IS NULL",
        }
        name = self._pick(forms)
        self._use(name)
        return forms[name]

    def _over_groups(self) -> tuple[str, bool]:
        """Return a SELECT that renames and filters the points of a sub-select."""
        keys = self._keys(2)
        items = [self._key(level, at) for at, level in enumerate(keys)]
        listed = [f"{text} AS {name}" for text, name, _ in items]
        values = [f"COUNT({self._metric()}) AS v0", f"{self._value(1)} AS v1"]
        inner = f"SELECT {', '.join([*listed, *values])} FROM @{self._where()}"
        inner += f" GROUP BY {', '.join(text for text, _, _ in items)}"
        names = [name for _, name, _ in items]
        outer = [*(f"q.{name} AS o{n}" for n, name in enumerate(names)), "q.v0 AS w0", "v1 AS w1"]
        sql = f"SELECT {', '.join(outer)} FROM ({inner}) q"
        if self._often(0.6):
            self._use("WHERE over groups")
            tests = [f"q.v0 {self._pick(['>', '<', '<>'])} 5", "v1 IS NOT NULL"]
            tests.append(f"q.{names[0]} IS NOT NULL")
            sql += f" WHERE {self._pick(tests)}"
        return self._ended(sql, [f"o{n}" for n in range(len(names))])

    def _nested(self) -> tuple[str, bool]:
        """Return aggregates over the points of a sub-select."""
        keys = self._keys(3)
        outer = keys[: self.chance.randint(0, len(keys) - 1)]
        listed = ", ".join(keys)
        inner = f"SELECT {listed}, COUNT({self._metric()}) + {self._value(1)} AS v0"
        inner += f", {self._aggregate()} AS v1"
        inner += f" FROM @{self._where()} GROUP BY {', '.join(keys)}"
        names = ["AVG", "SUM", "MIN", "MAX", "COUNT", "MEDIAN"]
        values = [f"{self._pick(names)}(v{n}) AS w{n}" for n in range(2)]
        sql = f"SELECT {', '.join([*outer, *values])} FROM ({inner}) q"
        if self._often(0.3):
            sql += f" WHERE {self._pick(keys)} IS NOT NULL"
        if outer:
            sql += f" GROUP BY {', '.join(outer)}"
        return self._ended(sql, outer)

    def _rows(self) -> tuple[str, bool]:
        """Return rows of a table, or its distinct levels."""
        self._source = "transactions"
        self._levels = SALES_LEVELS
        if self._often(0.3):
            self._use("DISTINCT")
            keys = self._keys(2)
            sql = f"SELECT DISTINCT {', '.join(keys)} FROM @{self._where()}"
            return self._ended(sql, keys)
        self._use("rows of a table")
        columns = self.chance.sample(["store", "product", "day", "quantity", "revenue", "cost"], 3)
        sql = f"SELECT transaction, {', '.join(columns)} FROM @{self._where()}"
        return self._ended(sql, ["transaction"])
