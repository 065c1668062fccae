"""The answer by definition: Python over lists of dicts, written from the specification alone.

No SQL, no Arrow, no code of the product: levels are looked up hop by hop for each row, rows are
grouped with NULL as a member, reducers reduce the rows themselves, tests are three-valued.
"""

import datetime
import math
from collections import defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

INT64 = range(-(2**63), 2**63)


class Overflow(Exception):
    """A number does not fit its declared type."""


class Frames:
    """Everything one filter leaves of a world, grouped as asked."""

    def __init__(self, model, tables, where=None):
        self.model, self.tables, self.where = model, tables, where
        self._groups = {}

    def hop(self, edge, member):
        """The member that an edge leads to; NULL where it says nothing."""
        if edge.table is not None:
            if member is None:
                return None
            found = [
                row[edge.target] for row in self.tables[edge.table] if row[edge.source] == member
            ]
            assert len(set(found)) < 2, "the world breaks its own promise"
            return found[0] if found else None
        if edge.function is not None:
            return None if member is None else first_instant(edge.function, member)
        if member is None:
            return edge.null
        return dict(edge.values).get(member, edge.default)

    def level(self, schema, row, level):
        """The member of a level that a row of a schema belongs to."""
        start, path = self.path(schema, level)
        member = row[start]
        for edge in path:
            member = self.hop(edge, member)
        return member

    def path(self, schema, level):
        """The nearest column of the schema, and the edges from it to the level."""
        return path(self.model, schema, level)

    def rows(self, schema):
        """The rows that WHERE leaves."""
        kept = self.tables[schema]
        if self.where is None:
            return kept
        return [row for row in kept if self.passes(schema, row, self.where)]

    def passes(self, schema, row, test):
        """Whether a test is true of a row."""

        def leaf(node):
            return self.level(schema, row, node[1])

        return truth(test, leaf) is True

    def groups(self, schema, anchor):
        """The rows of each realised point; the grand total is always there."""
        if (schema, anchor) not in self._groups:
            found = defaultdict(list)
            if not anchor:
                found[()] = []
            for row in self.rows(schema):
                found[tuple(self.level(schema, row, level) for level in anchor)].append(row)
            self._groups[schema, anchor] = dict(found)
        return self._groups[schema, anchor]

    def points(self, terms, anchor):
        """The points at which any metric of some terms is realised."""
        found = {(): None} if not anchor else {}
        for term in terms:
            for node, level in self.needs(term, anchor):
                for point in self.groups(self.schema_of(node), level):
                    at = dict(zip(level, point, strict=True))
                    found[tuple(at[name] for name in anchor)] = None
        return list(found)

    def schema_of(self, node):
        """The schema that a reducer reads."""
        return node[1] if node[0] == "rows" else self.model.families[node[2]].schema

    def needs(self, term, anchor):
        """Every reducer of a term with the anchor it is read at."""
        match term:
            case ("bare", name):
                family = self.model.families[name]
                if family.formula is not None:
                    yield from self.needs(family.formula, anchor)
                else:
                    yield ("call", default_of(family), name, None, None), anchor
            case ("call", *_) | ("rows", _):
                yield term, anchor
            case ("nested", _, inner, own):
                yield from self.needs(inner, tuple(sorted({*own, *anchor})))
            case ("bin", _, one, other):
                yield from self.needs(one, anchor)
                yield from self.needs(other, anchor)
            case ("fn", _, arguments):
                for argument in arguments:
                    yield from self.needs(argument, anchor)
            case ("case", test, one, other):
                for part in (*operands(test), one, other):
                    yield from self.needs(part, anchor)

    def value(self, term, anchor, point):
        """The value of a term at a point; `point` is in the order of `anchor`."""
        match term:
            case ("lit", value):
                return value
            case ("bare", name):
                family = self.model.families[name]
                if family.formula is not None:
                    return self.value(family.formula, anchor, point)
                return self.reduced(("call", default_of(family), name, None, None), anchor, point)
            case ("call", *_) | ("rows", _):
                return self.reduced(term, anchor, point)
            case ("nested", reducer, inner, own):
                cells = tuple(sorted({*own, *anchor}))
                values = []
                for cell in self.points([inner], cells):
                    at = dict(zip(cells, cell, strict=True))
                    if tuple(at[name] for name in anchor) == point:
                        values.append(self.value(inner, cells, cell))
                return reduce_values(reducer, values, self.kind(inner))
            case ("bin", operator, one, other):
                sides = [self.value(side, anchor, point) for side in (one, other)]
                return arithmetic(operator, *sides, self.kind(term))
            case ("fn" | "case", *_):
                return self.computed(term, anchor, point)
        raise AssertionError(term)

    def computed(self, term, anchor, point):
        """A function of metrics at a point, or a CASE of them."""
        if term[0] == "fn":
            values = [self.value(argument, anchor, point) for argument in term[2]]
            return function(term[1], values, self.kind(term))
        _, test, one, other = term
        taken = truth(test, lambda part: self.value(part, anchor, point)) is True
        return self.value(one if taken else other, anchor, point)

    def reduced(self, node, anchor, point):
        """A reducer over the rows of one point."""
        order = tuple(sorted(anchor))
        at = dict(zip(anchor, point, strict=True))
        schema = self.schema_of(node)
        rows = self.groups(schema, order).get(tuple(at[level] for level in order), [])
        if node[0] == "rows":
            return len(rows)
        _, reducer, name, q, asked = node
        family = self.model.families[name]
        declared = next((item for item in family.reducers if item.operator == reducer), None)
        if declared is not None and declared.snapshot:
            rows = self.snapshot(schema, rows, declared.snapshot)
        for test in (family.filter, asked):
            if test is not None:
                rows = [row for row in rows if self.passes(schema, row, test)]
        if reducer in ("FIRST", "LAST"):
            keyed = [
                (tuple(self.level(schema, row, level) for level in declared.order_by), row)
                for row in rows
            ]
            keyed = [pair for pair in keyed if None not in pair[0]]
            pick = max if reducer == "LAST" else min
            value = pick(keyed, key=lambda pair: pair[0])[1][family.column] if keyed else None
        elif family.column is None:
            value = len(rows)
        else:
            values = [row[family.column] for row in rows]
            kind = self.model.columns[schema][family.column]
            value = reduce_values(reducer, values, kind, q)
        filled = reducer == "SUM" and family.fill is not None
        return family.fill if value is None and filled else value

    def snapshot(self, schema, rows, snapshot):
        """The rows at the last moment of the point, for each member of `per`."""
        level, pick, per = snapshot
        shares = defaultdict(list)
        for row in rows:
            shares[tuple(self.level(schema, row, name) for name in per)].append(row)
        kept = []
        for share in shares.values():
            moments = [self.level(schema, row, level) for row in share]
            known = [moment for moment in moments if moment is not None]
            if known:
                chosen = max(known) if pick == "LAST" else min(known)
                kept += [
                    row for row, moment in zip(share, moments, strict=True) if moment == chosen
                ]
        return kept

    def kind(self, term):
        """The declared kind of a term: `int`, `double`, ..., `(precision, scale)`."""
        match term:
            case ("lit", value):
                return literal_kind(value)
            case ("bare", name):
                family = self.model.families[name]
                if family.formula is not None:
                    return self.kind(family.formula)
                return self.kind(("call", default_of(family), name, None, None))
            case ("call", reducer, name, _, _):
                family = self.model.families[name]
                columns = {None: "int", **self.model.columns.get(family.schema, {})}
                return reduced_kind(reducer, columns[family.column])
            case ("nested", reducer, inner, _):
                return reduced_kind(reducer, self.kind(inner))
            case ("bin", operator, one, other):
                return arithmetic_kind(operator, self.kind(one), self.kind(other))
            case ("fn", name, arguments):
                return function_kind(name, arguments, [self.kind(part) for part in arguments])
            case ("case", _, one, other):
                return common_kind([self.kind(one), self.kind(other)])
        return "int"


def answer(model, tables, question):
    """The rows of the answer, in order, each the anchor's levels and then the items."""
    with localcontext(Context(prec=200)):
        return _answer(Frames(model, tables, question.where), question)


def _answer(frames, question):
    anchor = question.anchor
    outputs = dict(question.items)
    hidden = [resolved(term, outputs) for term, _, _ in question.order]
    having = resolved(question.having, outputs)
    found = []
    for point in frames.points(outputs.values(), anchor):
        at = dict(zip(anchor, point, strict=True))

        def leaf(term, at=at, point=point):
            return at[term[1]] if term[0] == "level" else frames.value(term, anchor, point)

        # Every sum is made before HAVING and LIMIT, so that each may overflow.
        values = [leaf(term) for term in outputs.values()]
        if having is None or truth(having, leaf) is True:
            keys = [leaf(term) for term in hidden]
            found.append((keys, point, (*point, *values)))
    found.sort(key=lambda row: [member_key(member) for member in row[1]])
    for index, (_, descending, nulls_first) in reversed(list(enumerate(question.order))):
        known = [row for row in found if row[0][index] is not None]
        missing = [row for row in found if row[0][index] is None]
        known.sort(key=lambda row, index=index: number_key(row[0][index]), reverse=descending)
        found = [*missing, *known] if nulls_first else [*known, *missing]
    rows = [row for _, _, row in found]
    return rows if question.limit is None else cut(rows, anchor, question.limit)


def cut(rows, anchor, limit):
    """The rows that LIMIT leaves, counted for each member of PER."""
    count, offset, per = limit
    seen = defaultdict(int)
    kept = []
    for row in rows:
        key = tuple(row[anchor.index(level)] for level in per)
        if offset <= seen[key] < offset + count:
            kept.append(row)
        seen[key] += 1
    return kept


def kinds(model, question):
    """The declared kind of each column of the answer."""
    frames = Frames(model, {})
    return [model.levels[level] for level in question.anchor] + [
        frames.kind(term) for _, term in question.items
    ]


def path(model, schema, level):
    """The nearest own column of a schema and the edges from it to a level; None: unreachable."""
    own = [column for column in model.columns[schema] if column in model.levels]
    reached = [(column, ()) for column in own]
    for start, edges in reached:
        last = edges[-1].target if edges else start
        if last == level:
            return start, edges
        for edge in model.edges:
            if edge.source == last and edge.target not in own:
                reached.append((start, (*edges, edge)))
    return None


def first_instant(name, moment):
    """The first instant of the period; weeks start on Monday."""
    if name == "HOUR_OF":
        return moment.replace(minute=0, second=0, microsecond=0)
    if isinstance(moment, datetime.datetime):
        moment = moment.date()
    match name:
        case "DAY_OF":
            return moment
        case "WEEK_OF":
            return moment - datetime.timedelta(days=moment.weekday())
        case "MONTH_OF":
            return moment.replace(day=1)
        case "QUARTER_OF":
            return moment.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1)
        case "YEAR_OF":
            return moment.replace(month=1, day=1)
    raise AssertionError(name)


def default_of(family):
    """The reducer that a bare name means."""
    if family.default is not None:
        return family.default
    marked = [item.operator for item in family.reducers if item.default]
    return [*marked, *(item.operator for item in family.reducers), "COUNT"][0]


def reduce_values(reducer, values, kind, q=None):
    """A reducer over values, by its definition."""
    known = [value for value in values if value is not None]
    if reducer == "COUNT":
        return len(known)
    if reducer == "COUNT_DISTINCT":
        return len(set(known))
    if not known:
        return None
    match reducer:
        case "SUM":
            return fitting(sum(known), reduced_kind("SUM", kind))
        case "AVG":
            return float(fitting(sum(known), reduced_kind("SUM", kind))) / float(len(known))
        case "MIN" | "MAX" | "RANGE":
            return extreme(reducer, known, kind)
        case "MEDIAN" | "QUANTILE":
            return quantile([float(value) for value in known], 0.5 if q is None else float(q))
        case "VAR" | "STDDEV":
            return spread(known, root=reducer == "STDDEV")
    raise AssertionError(reducer)


def extreme(reducer, values, kind):
    """The least or greatest value, or how far one is from the other."""
    least, greatest = (found(values, key=number_key) for found in (min, max))
    if reducer == "RANGE":
        return fitting(greatest - least, reduced_kind("RANGE", kind))
    return least if reducer == "MIN" else greatest


def quantile(values, q):
    """The continuous quantile: between the neighbours, in proportion."""
    values = sorted(values, key=number_key)
    place = q * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))


def spread(values, root):
    """The sample variance or its root, from exact fractions."""
    if len(values) < 2:
        return None
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        return math.nan
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = float(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))
    return math.sqrt(variance) if root else variance


def reduced_kind(reducer, kind):
    """What a reducer makes of a kind."""
    if reducer in ("COUNT", "COUNT_DISTINCT"):
        return "int"
    if reducer in ("AVG", "MEDIAN", "QUANTILE", "VAR", "STDDEV"):
        return "double"
    return (38, kind[1]) if reducer in ("SUM", "RANGE") and isinstance(kind, tuple) else kind


def literal_kind(value):
    """The kind of a literal."""
    if isinstance(value, Decimal):
        digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
        return max(len(digits), -exponent, 1), max(0, -exponent)
    if isinstance(value, float):
        return "double"
    return "int"


def function_kind(name, arguments, found):
    """What a function makes of the kinds of its arguments."""
    if name == "COALESCE":
        return common_kind(found)
    if name == "SQRT":
        return "double"
    if name == "ROUND" and isinstance(found[0], tuple) and arguments[1][1] < found[0][1]:
        return 38, max(arguments[1][1], 0)
    return found[0]


def common_kind(found):
    """The kind in which several are at home."""
    if len(set(found)) == 1 and not isinstance(found[0], tuple):
        return found[0]
    if "double" in found:
        return "double"
    scales = [kind[1] for kind in found if isinstance(kind, tuple)]
    if scales:
        return 38, max(scales)
    raise AssertionError(found)


def arithmetic_kind(operator, one, other):
    """The kind of `one operator other`."""
    if operator == "/" or "double" in (one, other):
        return "double"
    scales = [kind[1] if isinstance(kind, tuple) else 0 for kind in (one, other)]
    if not isinstance(one, tuple) and not isinstance(other, tuple):
        return "int"
    return 38, sum(scales) if operator == "*" else max(scales)


def arithmetic(operator, one, other, kind):
    """`one operator other`, exactly; NULL with NULL, and where the divisor is 0."""
    if one is None or other is None:
        return None
    if operator == "/":
        return None if other == 0 else float(one) / float(other)
    if operator == "%":
        return None if other == 0 else int(math.fmod(one, other))
    if kind == "double":
        one, other = float(one), float(other)
    made = {"+": one + other, "-": one - other, "*": one * other}[operator]
    return fitting(made, kind)


def function(name, values, kind):
    """A scalar function."""
    match name:
        case "COALESCE":
            return next((value for value in values if value is not None), None)
        case "NULLIF":
            return None if values[0] == values[1] else values[0]
        case "ABS":
            return None if values[0] is None else fitting(abs(values[0]), kind)
        case "SQRT":
            return None if values[0] is None else math.sqrt(values[0])
        case "ROUND":
            value, places = values
            if value is None:
                return None
            rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            return fitting(int(rounded) if kind == "int" else rounded, kind)
    raise AssertionError(name)


def row_function(name, value, arguments):
    """A function of one member of a level."""
    if value is None:
        return None
    match name:
        case "LENGTH":
            return sum(1 for _ in value)
        case "LOWER":
            return "".join(letter.lower() for letter in value)
        case "UPPER":
            return "".join(letter.upper() for letter in value)
        case "SUBSTR":
            start, length = arguments
            return "".join(
                letter for at, letter in enumerate(value, 1) if start <= at < start + length
            )
        case "EXTRACT":
            week = value.isocalendar()
            found = {"isoyear": week[0], "week": week[1], "isodow": week[2]}
            return found.get(arguments[0]) or getattr(value, arguments[0])
    raise AssertionError(name)


def fitting(value, kind):
    """A number, if it fits its declared type."""
    if kind == "int" and value not in INT64:
        raise Overflow(value)
    if isinstance(kind, tuple) and abs(int(Decimal(value).scaleb(kind[1]))) >= 10 ** kind[0]:
        raise Overflow(value)
    return value


def truth(test, leaf):
    """A test in three-valued logic: True, False or None for unknown."""
    match test:
        case ("and", parts):
            found = [truth(part, leaf) for part in parts]
            return False if False in found else None if None in found else True
        case ("or", parts):
            found = [truth(part, leaf) for part in parts]
            return True if True in found else None if None in found else False
        case ("not", part):
            found = truth(part, leaf)
            return None if found is None else not found
        case ("cmp", operator, one, other):
            return compared(operator, operand(one, leaf), operand(other, leaf))
        case ("between", one, low, high):
            bounds = ("cmp", ">=", one, ("lit", low)), ("cmp", "<=", one, ("lit", high))
            return truth(("and", bounds), leaf)
        case ("distinct", one, other):
            here, there = operand(one, leaf), operand(other, leaf)
            if here is None or there is None:
                return here is not there
            return compared("<>", here, there)
    return about_one(test, operand(test[1], leaf))


def about_one(test, value):
    """A test of one value."""
    match test:
        case ("null", _):
            return value is None
        case ("is", _):
            return value
        case ("in", _, values):
            return None if value is None else any(compared("=", value, item) for item in values)
        case ("like", _, pattern):
            return None if value is None else matches(value, pattern)
    raise AssertionError(test)


def operand(node, leaf):
    """The value of an operand of a test."""
    if node[0] == "row":
        return row_function(node[1], leaf(node[2]), node[3])
    return node[1] if node[0] == "lit" else leaf(node)


def compared(operator, one, other):
    """A comparison; unknown with NULL. A date beside a timestamp is its midnight."""
    if one is None or other is None:
        return None
    if isinstance(one, datetime.datetime) != isinstance(other, datetime.datetime):
        one, other = (
            side
            if isinstance(side, datetime.datetime)
            else datetime.datetime.combine(side, datetime.time())
            for side in (one, other)
        )
    if isinstance(one, float) or isinstance(other, float):
        one, other = number_key(float(one)), number_key(float(other))
    return {
        "=": one == other,
        "<>": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }[operator]


def matches(value, pattern):
    """LIKE: `%` is any text, `_` one character, everything else itself."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(matches(value[start:], pattern[1:]) for start in range(len(value) + 1))
    return bool(value) and pattern[0] in ("_", value[0]) and matches(value[1:], pattern[1:])


def number_key(value):
    """Order among values that are not NULL: NaN above every number."""
    if isinstance(value, float) and math.isnan(value):
        return 1, 0
    return 0, value


def member_key(member):
    """Order among members: ascending, NULL last."""
    return (member is None, member if member is not None else 0)


def resolved(node, outputs):
    """A tree in which output names stand for what they name."""
    if isinstance(node, tuple):
        if node and node[0] == "output":
            return outputs[node[1]]
        return tuple(resolved(part, outputs) for part in node)
    return node


METRIC_NODES = ("bare", "call", "rows", "nested", "bin", "fn", "case")


def operands(test):
    """The metric expressions in a test."""
    if test is None or not isinstance(test, tuple):
        return []
    if test and test[0] in METRIC_NODES:
        return [test]
    return [found for part in test for found in operands(part)]
