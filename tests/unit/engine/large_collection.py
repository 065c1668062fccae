"""A large collection in a DuckDB file: 60 tables, 300 levels, 760 metrics, the same each time.

Seventeen tables of dimensions hold fifteen levels each, in three chains; a calendar has five. Forty
tables of facts have a level of their own, the row, and columns of six or seven dimensions; each has
seventeen families and two derived ones. Three tables hold sums of facts by a level and a day.
"""

import duckdb

DIMENSIONS, ATTRIBUTES, FACTS, SUMMARIES = 17, 14, 40, 3
MEASURES = 17
MEMBERS, ROWS = 20, 60

BROKEN = (3, 13)
BROKEN_EDGE = "d3_a10 -> d3_a13"

TABLES, LEVELS, METRICS = 60, 300, 760


def dimensions_of(fact):
    """The dimensions whose key a table of facts holds."""
    return sorted({(fact + step * step) % DIMENSIONS for step in range(6)} | {fact % 5})


def chains(dimension):
    """The edges of a dimension: from its key along three chains of attributes."""
    edges = []
    for at in range(ATTRIBUTES):
        before = f"d{dimension}_a{at - 3}" if at >= 3 else f"d{dimension}_key"
        edges.append((before, f"d{dimension}_a{at}"))
    return edges


def text():
    """The collection's file."""
    lines = ["version: 1", "name: large", "schemas:"]
    for dimension in range(DIMENSIONS):
        columns = [f"d{dimension}_key", *(f"d{dimension}_a{at}" for at in range(ATTRIBUTES))]
        lines.append(_schema(f"dim{dimension}", [columns[0]], columns))
    for fact in range(FACTS):
        columns = [f"f{fact}_row", *(f"d{key}_key" for key in dimensions_of(fact)), "day"]
        columns += [f"v{at}" for at in range(MEASURES)]
        lines.append(_schema(f"fact{fact}", [columns[0]], columns))
    for summary in range(SUMMARIES):
        level = f"d{dimensions_of(summary)[0]}_a0"
        lines.append(_schema(f"sum{summary}", [level, "day"], [level, "day", "v0"]))
    lines.append("dimension_families:")
    for dimension in range(DIMENSIONS):
        levels = [f"d{dimension}_key", *(f"d{dimension}_a{at}" for at in range(ATTRIBUTES))]
        lines.append(f"  - name: dimension{dimension}")
        lines.append(f"    levels: [{', '.join(levels)}]")
        lines.append("    edges:")
        for start, end in chains(dimension):
            lines.append(f"      - {{from: {start}, to: {end}, via: dim{dimension}}}")
    lines += [
        "  - name: calendar",
        "    levels: [day, week, month, quarter, year]",
        "    edges:",
        "      - {from: day, to: week, derived_by: WEEK_OF}",
        "      - {from: day, to: month, derived_by: MONTH_OF}",
        "      - {from: month, to: quarter, derived_by: QUARTER_OF}",
        "      - {from: quarter, to: year, derived_by: YEAR_OF}",
        "metric_families:",
    ]
    for fact in range(FACTS):
        lines += [line for at in range(MEASURES) for line in _family(fact, at)]
        first, second, third = (f"f{fact}_m{at}" for at in (0, 1, 5))
        lines += _derived(f"f{fact}_gain", f"{first} - {second}", (first, second))
        lines += _derived(f"f{fact}_rate", f"{first} / {third}", (first, third))
    return "\n".join(lines) + "\n"


def _schema(name, grain, columns):
    pairs = ", ".join(f"{column}: {column}" for column in columns)
    return f"  - {{name: {name}, table: {name}, grain: [{', '.join(grain)}], columns: {{{pairs}}}}}"


def _family(fact, at):
    """One family of a fact: each kind of declaration comes in its turn."""
    first, *_, last = dimensions_of(fact)
    kinds = (
        ["{operator: SUM}"],
        ["{operator: SUM}"],
        ["{operator: SUM}", "{operator: MIN}"],
        [
            "{operator: SUM, a_block: [calendar], default: true}",
            "{operator: AVG}",
            f"{{operator: LAST, a_block: [dimension{last}], order_by: [f{fact}_row]}}",
        ],
        [f"{{operator: SUM, a_block: [dimension{first}]}}"],
        ["{operator: MAX, default: true}", "{operator: MEDIAN}"],
    )
    family = f"f{fact}_m{at}"
    lines = [
        f"  - name: {family}",
        f"    family_root: {{schema: fact{fact}, column: v{at}}}",
        f"    ip_reducers: [{', '.join(kinds[at % len(kinds)])}]",
    ]
    if at == 0 and fact < SUMMARIES:
        lines.append(f"    siblings: [{{schema: sum{fact}, column: v0, operator: SUM}}]")
    if at % 5 == 1:
        lines.append(f"    filter: \"d{first}_a1 <> 'none'\"")
    return lines


def _derived(name, formula, inputs):
    return [
        f"  - name: {name}",
        f'    derived: {{formula: "{formula}", inputs: [{", ".join(inputs)}]}}',
    ]


def _member(dimension, attribute):
    """Twenty members halve from level to level; the last level of one dimension breaks its edge."""
    broken = (dimension, attribute) == BROKEN
    return "key % 3" if broken else f"key // {2 ** (1 + attribute // 3)}"


def write(path):
    """Write the database."""
    with duckdb.connect(str(path)) as connection:
        for dimension in range(DIMENSIONS):
            attributes = ", ".join(
                f"'m' || ({_member(dimension, at)}) AS d{dimension}_a{at}"
                for at in range(ATTRIBUTES)
            )
            connection.execute(
                f"CREATE TABLE dim{dimension} AS"
                f" SELECT 'k' || key AS d{dimension}_key, {attributes}"
                f" FROM range({MEMBERS}) AS keys(key)"
            )
        for fact in range(FACTS):
            keys = ", ".join(
                f"'k' || ((n * {key + 3} + {fact}) % {MEMBERS}) AS d{key}_key"
                for key in dimensions_of(fact)
            )
            values = ", ".join(
                f"CAST((n * {measure + 7} + {fact}) % 100 AS DECIMAL(10,2)) AS v{measure}"
                for measure in range(MEASURES)
            )
            connection.execute(
                f"CREATE TABLE fact{fact} AS SELECT n AS f{fact}_row, {keys},"
                f" DATE '2024-01-01' + CAST(n % 90 AS INTEGER) AS day, {values}"
                f" FROM range({ROWS}) AS rows(n)"
            )
        for summary in range(SUMMARIES):
            dimension = dimensions_of(summary)[0]
            connection.execute(
                f"CREATE TABLE sum{summary} AS SELECT d{dimension}_a0, day,"
                f" CAST(SUM(v0) AS DECIMAL(38,2)) AS v0 FROM fact{summary}"
                f" LEFT JOIN dim{dimension} USING (d{dimension}_key) GROUP BY ALL"
            )
