"""Texts by chance that are more than one question: windows, joins, UNION, sets, over answers.

What comes in: a source of chance. What goes out: texts over `metrics`, each with a meaning over the
flat table, and whether their order is settled. A text may be one that is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LEVELS = ("region", "store", "category", "product", "month", "year")
TEXTS = ("region", "store", "category", "product")
AGGREGATES = (
    *("SUM(revenue)", "SUM(units)", "COUNT(cost)", "MAX(revenue)", "MIN(units)", "AVG(cost)"),
    *("SUM(revenue) FILTER (WHERE category = 'Toys')", "COUNT(DISTINCT product)"),
)
CONDITIONS = (
    *("category = 'Toys'", "region <> 'East'", "store IS NOT NULL", "product IN ('A', 'B', 'E')"),
    *("month >= DATE '2023-06-01'", "category IS NULL OR region = 'West'", "year IS NOT NULL"),
)


@dataclass
class OuterQueries:
    """A source of texts; each is given with whether its rows come in a settled order."""

    chance: Random

    def next(self) -> tuple[str, str, bool]:
        """Return a kind, a text of it, and whether its order is settled."""
        kind = self._pick(
            ["window", "windows of groups", "join", "union", "again", "set", "choice", "fixed"]
        )
        sql, ordered = getattr(self, "_" + kind.replace(" ", "_"))()
        return kind, sql, ordered

    def _pick(self, values):
        return self.chance.choice(list(values))

    def _often(self, share: float) -> bool:
        return self.chance.random() < share

    def _group(self, keys: list[str], names: list[str]) -> str:
        """Return a question with these keys and values of these names."""
        listed = [*keys, *(f"{self._pick(AGGREGATES)} AS {name}" for name in names)]
        where = f" WHERE {self._pick(CONDITIONS)}" if self._often(0.5) else ""
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        having = " HAVING COUNT(revenue) > 1" if keys and self._often(0.3) else ""
        return f"SELECT {', '.join(listed)} FROM metrics{where}{group}{having}"

    def _keys(self, least: int = 1, most: int = 2) -> list[str]:
        return self.chance.sample(LEVELS, self.chance.randint(least, most))

    def _order(self, columns: list[str]) -> str:
        ways = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST", " DESC NULLS FIRST"]
        return ", ".join(column + self._pick(ways) for column in columns)

    def _over(self, keys: list[str], value: str) -> str:
        """Return a window whose value the order settles: by values alone, or by all keys."""
        part = f"PARTITION BY {keys[0]} " if len(keys) > 1 and self._often(0.5) else ""
        whole = f"({part}ORDER BY {self._order([value, *keys])}"
        frame = self._pick(
            [
                "",
                " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
                " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            ]
        )
        forms = [
            f"RANK() OVER ({part}ORDER BY {self._order([value])})",
            f"DENSE_RANK() OVER ({part}ORDER BY {self._order([keys[0]])})",
            f"PERCENT_RANK() OVER ({part}ORDER BY {self._order([value])})",
            f"CUME_DIST() OVER ({part}ORDER BY {self._order([value])})",
            f"ROW_NUMBER() OVER {whole})",
            f"NTILE({self.chance.randint(1, 4)}) OVER {whole})",
            f"LAG({value}) OVER {whole})",
            f"LEAD({value}, {self.chance.randint(0, 3)}, 0) OVER {whole})",
            f"FIRST_VALUE({value}) OVER {whole}{frame})",
            f"LAST_VALUE({keys[0]}) OVER {whole}{frame})",
            f"{self._pick(['SUM', 'MIN', 'MAX', 'COUNT', 'AVG'])}({value}) OVER {whole}{frame})",
            f"SUM({value}) OVER ({part.strip()})",
            f"COUNT(*) OVER ({part}ORDER BY {self._order([value])})",
        ]
        return self._pick(forms)

    def _test(self, value: str) -> str:
        return self._pick(
            [f"{value} > 5", f"{value} IS NULL", f"NOT ({value} <= 20)", f"{value} IS NOT NULL"]
        )

    def _window(self) -> tuple[str, bool]:
        keys = self._keys()
        items = [*keys, "v", f"{self._over(keys, 'v')} AS w", f"{self._over(keys, 'u')} AS x"]
        sql = f"SELECT {', '.join(items)} FROM ({self._group(keys, ['v', 'u'])}) q"
        if self._often(0.4):
            sql += f" WHERE {self._test('v')}"
        if self._often(0.4):
            sql = f"SELECT * FROM ({sql}) p WHERE w {self._pick(['<= 3', '> 1', 'IS NULL'])}"
        return self._ended(sql, keys)

    def _ended(self, sql: str, keys: list[str]) -> tuple[str, bool]:
        if not self._often(0.4):
            return sql, False
        sql += f" ORDER BY {self._order(keys)}"
        return (f"{sql} LIMIT {self.chance.randint(0, 7)}" if self._often(0.5) else sql), True

    def _windows_of_groups(self) -> tuple[str, bool]:
        keys, value = self._keys(), self._pick(["SUM(revenue)", "COUNT(units)", "MAX(cost)"])
        items = [*keys, f"{value} AS v", f"{self._over(keys, value)} AS w"]
        having = f" HAVING {value} > 3" if self._often(0.4) else ""
        where = f" WHERE {self._pick(CONDITIONS)}" if self._often(0.4) else ""
        sql = f"SELECT {', '.join(items)} FROM metrics{where} GROUP BY {', '.join(keys)}{having}"
        if self._often(0.3):
            place = self._pick(["RANK", "CUME_DIST", "PERCENT_RANK"])
            over = f"{place}() OVER (ORDER BY {self._order([value])})"
            sql += f" QUALIFY {over} {self._pick(['< 3', '>= 0.4', '= 1'])}"
        return self._ended(sql, keys)

    def _join(self) -> tuple[str, bool]:
        keys = self._keys()
        side = self._pick(["JOIN", "LEFT JOIN", "FULL JOIN"])
        equal = self._pick(["=", "IS NOT DISTINCT FROM"])
        common = keys[: self.chance.randint(1, len(keys))]
        on = " AND ".join(f"a.{key} {equal} b.{key}" for key in common)
        other = self._group(self.chance.sample(keys, len(keys)), ["v"])
        items = [
            "a.v + b.v AS s",
            "a.v AS av",
            "b.v AS bv",
            *(f"a.{key} AS k_{key}" for key in keys),
        ]
        sql = f"SELECT {', '.join(items)} FROM ({self._group(keys, ['v'])}) a {side} ({other}) b"
        return f"{sql} ON {on}", False

    def _union(self) -> tuple[str, bool]:
        word = self._pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"])
        one, other = self._pick(TEXTS), self._pick(TEXTS)
        count = "SELECT {} AS k, COUNT({}) AS v FROM metrics GROUP BY {}"
        left = count.format(one, "revenue", one)
        right = count.format(other, self._pick(["cost", "revenue"]), other)
        if self._often(0.3):
            right = "SELECT 'Total', SUM(units) FROM metrics"
        sql = f"{left} {word} {right}"
        return (f"{sql} ORDER BY 1, 2", True) if self._often(0.5) else (sql, False)

    def _again(self) -> tuple[str, bool]:
        keys = self._keys(2, 3)
        outer = keys[: self.chance.randint(0, len(keys) - 1)]
        names = ["SUM", "MIN", "MAX", "COUNT", "AVG", "COUNT(DISTINCT", "MEDIAN"]
        values = [self._pick(names) for _ in range(2)]
        listed = [f"{x}(v)" if "(" not in x else f"{x} v)" for x in values]
        items = [*outer, *(f"{text} AS w{n}" for n, text in enumerate(listed)), "COUNT(*) AS n"]
        sql = f"SELECT {', '.join(items)} FROM ({self._group(keys, ['v'])}) q"
        sql += f" WHERE {self._test('v')}" if self._often(0.6) else ""
        sql += f" GROUP BY {', '.join(outer)}" if outer else ""
        return sql, False

    def _set(self) -> tuple[str, bool]:
        level, keys = self._pick(TEXTS), self._keys()
        word = self._pick(["IN", "NOT IN"])
        inner = f"SELECT {level} FROM metrics"
        inner += f" WHERE {self._pick(CONDITIONS)}" if self._often(0.5) else ""
        inner += f" GROUP BY {level}"
        inner += (
            f" HAVING COUNT(revenue) > {self.chance.randint(0, 200)}" if self._often(0.6) else ""
        )
        condition = f"{level} {word} ({inner})"
        if self._often(0.4):
            join = self._pick(["AND", "OR"])
            condition = f"({condition}) {join} ({self._pick(CONDITIONS)})"
        sql = f"SELECT {', '.join(keys)}, {self._pick(AGGREGATES)} AS v FROM metrics"
        return f"{sql} WHERE {condition} GROUP BY {', '.join(keys)}", False

    def _choice(self) -> tuple[str, bool]:
        level, keys = self._pick(TEXTS), self._keys()
        inner = f"SELECT {level} AS chosen, SUM(revenue) AS i FROM metrics"
        inner += f" WHERE {self._pick(CONDITIONS)}" if self._often(0.4) else ""
        inner += f" GROUP BY {level} ORDER BY i DESC, chosen LIMIT {self.chance.randint(1, 4)}"
        sql = f"SELECT {', '.join(keys)}, {self._pick(AGGREGATES)} AS v FROM metrics"
        sql += f" JOIN ({inner}) t ON {level} = chosen"
        return f"{sql} GROUP BY {', '.join(keys)}", False

    def _fixed(self) -> tuple[str, bool]:
        keys = self._keys(1, 3)
        level, side = keys[0], self._pick(["JOIN", "LEFT JOIN"])
        inner = self._group([level], ["x"])
        listed = ", ".join(f"m.{key}" for key in keys)
        value = self._pick(["SUM(m.revenue)", "COUNT(m.units)"])
        sql = f"SELECT {listed}, {value} AS v, t.x FROM metrics m {side} ({inner}) t"
        return f"{sql} ON m.{level} = t.{level} GROUP BY {listed}, t.x", False
