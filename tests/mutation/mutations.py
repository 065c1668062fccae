"""The rules of the product, each broken on purpose, with the test that must go red.

`law` is the law of the specification (section 5) that the rule serves, `caught_by` a test that
holds it. README.md of the tests shows this list as a table, and a test compares the two.
"""

from dataclasses import dataclass

from patching import Patch

LAWS = {
    1: "neutrality",
    2: "conservation",
    3: "rollup legality",
    4: "a_block",
    5: "FIRST and LAST",
    6: "one version",
    7: "arithmetic",
    8: "declared types",
    9: "identity",
}

PROPERTY = "tests/property/"
ROUTES = (
    PROPERTY + "test_law_1_neutrality.py::test_law_1_every_route_gives_the_answer_by_definition"
)
CUT = (
    PROPERTY + "test_law_1_neutrality.py"
    "::test_law_1_what_having_and_limit_leave_out_is_in_the_entries"
)
ADD_UP = (
    PROPERTY + "test_law_2_conservation.py"
    "::test_law_2_members_add_up_to_the_rows_and_to_coarser_members_by_every_route"
)
ENTRIES = (
    PROPERTY + "test_law_3_rollup_legality.py"
    "::test_law_3_every_entry_that_may_answer_gives_the_number"
)
LEVELS = (
    PROPERTY + "test_law_3_rollup_legality.py"
    "::test_law_3_a_level_is_had_from_another_only_as_the_rows_have_it"
)
BLOCKS = PROPERTY + "test_law_4_and_5_legality.py::test_law_4_a_block_is_what_the_rule_says"
NESTING = PROPERTY + "test_law_4_and_5_legality.py::test_law_4_no_nesting_evades_a_block"
TIES = (
    PROPERTY + "test_law_4_and_5_legality.py::test_law_5_first_and_last_need_an_order_without_ties"
)
ORDERED = (
    PROPERTY + "test_law_4_and_5_legality.py"
    "::test_law_5_the_row_at_the_first_or_last_key_is_the_answer"
)
STALE = (
    PROPERTY + "test_law_6_one_version.py::test_law_6_an_answer_is_of_one_version_and_never_stale"
)
MAPS = (
    PROPERTY + "test_law_6_one_version.py"
    "::test_law_6_what_was_rolled_up_is_as_old_as_the_map_it_climbed"
)
UNKNOWN = (
    PROPERTY + "test_law_6_one_version.py::test_law_6_parts_of_unknown_version_are_never_mixed"
)
SUMS = PROPERTY + "test_law_7_arithmetic.py::test_law_7_sums_are_exact_or_overflow_by_every_route"
DIVISION = (
    PROPERTY + "test_law_7_arithmetic.py"
    "::test_law_7_division_and_means_are_of_doubles_null_by_zero_and_the_same_to_the_bit"
)
CASES = "tests/oracle/test_oracle.py::test_case"
TYPES = PROPERTY + "test_law_8_types.py::test_law_8_every_route_gives_the_declared_types"
SHARED = (
    PROPERTY + "test_law_9_identity.py"
    "::test_law_9_two_questions_share_an_entry_only_if_they_mean_the_same"
)
BROKEN = (
    PROPERTY + "test_law_3_attestation.py::test_law_3_a_broken_edge_withdraws_exactly_what_needs_it"
)
RESOLVED = (
    "tests/unit/engine/test_engine_snapshot.py"
    "::test_types_that_change_before_the_statement_runs_are_resolved_again[running]"
)
BACKENDS = "tests/unit/backends/"
MOVED = {
    "duckdb": "test_duckdb_moves.py"
    "::test_the_next_question_is_answered_from_what_stands_there[in_place]",
    "sqlite": "test_sqlite_moves.py::test_a_file_in_its_place_is_answered_from[copied-DELETE]",
    "polars": "test_polars_moves.py::test_a_moved_file_is_never_read_as_the_old_version[in_place]",
}
DEFINITIONS = "tests/unit/reload/test_reload_definitions.py::"
ZONES = "tests/conformance/test_zones.py::test_the_zone_alone_tells_entries_apart[duckdb]"
LEVEL_ORDER = (
    "tests/unit/catalog/test_catalog_levels.py"
    "::test_of_two_ways_as_long_that_of_the_first_name_is_taken_in_any_order"
)
SIBLINGS = PROPERTY + "test_law_3_siblings.py::test_law_3_a_sibling_answers_only_while_it_is_equal"

LEGALITY = "tests/unit/resolver/test_legality.py::"
FLOWN = (
    "tests/unit/engine/test_engine_executor.py"
    "::test_what_is_read_of_one_version_is_not_given_to_who_asks_for_another"
)
AGED = "tests/unit/planner/test_planner_make.py::test_every_older_part_is_young_enough"
REAGED = (
    "tests/unit/engine/test_engine_executor.py"
    "::test_what_is_rolled_up_from_an_older_version_is_not_kept"
)
REQUESTS = (
    "tests/unit/test_answer.py"
    "::test_values_that_are_equal_in_python_and_of_two_types_are_two_requests[1 and TRUE]"
)


@dataclass(frozen=True)
class Mutation:
    """One rule broken: its name, the law it serves, the patch, and the test that must fail."""

    name: str
    law: int
    patch: Patch
    caught_by: str


def _mutation(name, law, caught_by, place, old, new):
    module, _, function = place.partition(":")
    return Mutation(name, law, Patch(module, function, old, new), caught_by)


MUTATIONS = (
    _mutation(
        "keep LIMIT in an entry",
        1,
        CUT,
        "engine.executor:PlanExecutor._fetch",
        "tables[metric],",
        "tables[metric].slice(0, plan.question.window.count)"
        " if plan.question.window is not None and plan.question.window.count"
        " else tables[metric],",
    ),
    _mutation(
        "leave ties of ORDER BY open",
        1,
        ROUTES,
        "composer.order:sort_by",
        "for index, level in enumerate(levels):",
        "for index, level in enumerate(levels[:0]):",
    ),
    _mutation(
        "remember a filtered answer under no filter",
        1,
        f"{CASES}[shop: 16 a filter that the entry cannot apply]",
        "planner.route:entry_key",
        "return EntryKey(group, need.anchor, texts)",
        "return EntryKey(group, need.anchor)",
    ),
    _mutation(
        "look up with an inner join",
        2,
        ADD_UP,
        "backends.sql.rows:RowSelect.select",
        'join_type="left"',
        'join_type="inner"',
    ),
    _mutation(
        "look up in the raw table, not in its distinct map",
        2,
        ADD_UP,
        "backends.sql.rows:RowSelect._hop",
        "edge_map_select(hop, self._dialect).subquery",
        "edge_map_select(hop, self._dialect).distinct(distinct=False).subquery",
    ),
    _mutation(
        "drop orphans when an entry is rolled up",
        2,
        f"{ENTRIES}[sums]",
        "composer.rollup:roll_up",
        "    table = roll_to(table, rollup.lookups, maps)\n",
        "    table = roll_to(table, rollup.lookups, maps)\n"
        "    for step in rollup.lookups:\n"
        "        table = table.filter(pc.is_valid(table[step.level]))\n",
    ),
    _mutation(
        "let NULL keys miss each other in a merge",
        2,
        f"{CASES}[press: a computed month beside a stored one]",
        "composer.merge:_joined",
        "nulls_equal=True",
        "nulls_equal=False",
    ),
    _mutation(
        "merge with an inner join",
        2,
        f"{CASES}[shop: 23 two fact tables side by side]",
        "composer.merge:_joined",
        "how=how, nulls_equal=True, coalesce=True",
        'how="inner", nulls_equal=True',
    ),
    _mutation(
        "let HAVING and ORDER BY make points",
        1,
        f"{CASES}[shop: a condition that is true of what no row has]",
        "composer.frame:Cells.frame",
        "makers = {part for term in terms for",
        "makers = {part for term in every for",
    ),
    _mutation(
        "add up counts of distinct",
        3,
        f"{ENTRIES}[kept apart]",
        "algebra.primitives:",
        "Primitive.COUNT_DISTINCT: PrimitiveRule(Combine.NEVER",
        "Primitive.COUNT_DISTINCT: PrimitiveRule(Combine.SUM",
    ),
    _mutation(
        "count counts instead of adding them up",
        3,
        f"{ENTRIES}[counts]",
        "composer.states:_each_by_itself",
        "columns[name] = summable(values) if how is Combine.SUM else values\n",
        "columns[name] = summable(values) if how is Combine.SUM else values\n"
        "        if state.primitive.name == 'COUNT':\n"
        "            columns[name] = pc.is_valid(values).cast(pa.int64())\n",
    ),
    _mutation(
        "use an entry of another filter",
        3,
        f"{ENTRIES}[sums]",
        "planner.rollup:judge",
        "if not texts.keys() >= set(entry.key.filter):",
        "if not texts and entry.key.filter:",
    ),
    _mutation(
        "serve a filter off the entry's grain edge",
        3,
        f"{ENTRIES}[sums]",
        "planner.rollup:judge",
        'return Rejected(f"it cannot be filtered by {level}: {lookup.rule}")',
        "rest = tuple(part for part in rest if level not in levels_of(part))\n            continue",
    ),
    _mutation(
        "roll weeks up into months",
        3,
        LEVELS,
        "planner.rollup:_lookup",
        "    if not starts:\n",
        '    if not starts and level == "month" and "week" in entry.key.anchor:\n'
        '        return LevelLookup(level, type_, "week", hops_of(typed, path)[-1:])\n'
        "    if not starts:\n",
    ),
    _mutation(
        "look a level up by any path",
        3,
        LEVELS,
        "planner.rollup:_lookup",
        "typed.graph.schema_path(target.metric.schema, level)",
        "typed.graph.path(entry.key.anchor, level)",
    ),
    _mutation(
        "merge variances without the distance of their means",
        3,
        f"{ENTRIES}[moments]",
        "composer.states:_chan",
        "spread = pc.add(m2, pc.multiply(weight, pc.multiply(shift, shift)))",
        "spread = m2",
    ),
    _mutation(
        "roll up stock of one moment",
        3,
        LEVELS,
        "resolver.terms:Metric.rolls_up",
        "self.snapshot is None and self.reducer.rolls_up",
        "self.reducer.rolls_up",
    ),
    _mutation(
        "ignore attestation",
        3,
        BROKEN,
        "planner.violations:check_promises",
        "if key in violations:",
        "if False:",
    ),
    _mutation(
        "reduce rows that stand twice",
        2,
        f"{CASES}[trade: a sum over a batch loaded twice]",
        "planner.violations:_every_promise",
        "if schema.grain and metric.counts_repeats:",
        "if metric.order:",
    ),
    _mutation(
        "take one of two ways that disagree",
        3,
        f"{CASES}[trade: a level beside it gives it none]",
        "planner.violations:_every_promise",
        "if read.others:",
        "if False:",
    ),
    _mutation(
        "take ways for one where one leads nowhere",
        3,
        f"{CASES}[trade: a missing member on one way alone is a disagreement]",
        "planner.ways:differing_rows",
        'Apply(BOOLEAN, "distinct",',
        'Apply(BOOLEAN, "ne",',
    ),
    _mutation(
        "let the order of levels decide a path",
        3,
        LEVEL_ORDER,
        "catalog.levels:LevelGraph.ways",
        "own = sorted(self.own_levels(schema))",
        "own = [one for one in self.level_names if one in self.own_levels(schema)]",
    ),
    _mutation(
        "use a sibling that was not attested",
        3,
        SIBLINGS,
        "planner.siblings:_unequal",
        "return None if difference is None else",
        "return None if True else",
    ),
    _mutation(
        "drop a_block",
        4,
        BLOCKS,
        "resolver.legality:_check_blocks",
        "if not metric.blocks:",
        "if True:",
    ),
    _mutation(
        "let any level of the family satisfy a_block",
        4,
        BLOCKS,
        "resolver.legality:_check_blocks",
        "not typed.graph.settled(metric.schema, level, fixed)",
        "not any(typed.graph.family_of(other) == family for other in fixed)",
    ),
    _mutation(
        "let an outer SUM evade a_block",
        4,
        NESTING,
        "resolver.legality:check_nested",
        "if REDUCERS[nested.operator.name].adds_up:",
        "if False:",
    ),
    _mutation(
        "let an inner anchor add no level",
        4,
        f"{CASES}[shop: a share of the whole is not had from the point itself]",
        "resolver.legality:check_nested",
        "if not is_finer(typed, nested, anchor):",
        "if False:",
    ),
    _mutation(
        "let an outer SUM add up what blocked levels determine",
        4,
        f"{LEGALITY}test_an_outer_sum_over_what_does_not_add_up[the years of its months]",
        "resolver.legality:_check_outer_sum",
        "blocked = typed.graph.determined(blocking)",
        "blocked = frozenset(blocking)",
    ),
    _mutation(
        "let a double pin a level",
        4,
        f"{LEGALITY}test_a_level_is_pinned_by_a_condition_that_leaves_one_member[a double]",
        "resolver.predicates:pinned_levels",
        "if of.kind is not Kind.DOUBLE:",
        "if True:",
    ),
    _mutation(
        "allow ties of FIRST and LAST",
        5,
        TIES,
        "resolver.legality:_check_order",
        "    if left:\n",
        "    if False:\n",
    ),
    _mutation(
        "count rows without an order key",
        5,
        ORDERED,
        "backends.sql.rows:RowSelect._eligible",
        "exp.Not(this=exp.Is(this=self._leaf(term), expression=exp.Null()))",
        "exp.true()",
    ),
    _mutation(
        "roll LAST up to the first key",
        5,
        f"{ENTRIES}[ordered]",
        "composer.states:_picked",
        '"descending" if metric.reducer.picks_last else "ascending"',
        '"ascending"',
    ),
    _mutation(
        "leave the version of an entry out",
        6,
        STALE,
        "planner.rollup:_stale",
        "if expected is None or expected != fingerprint:",
        "if False:",
    ),
    _mutation(
        "read whatever version there is",
        6,
        STALE,
        "engine.reading:VersionReader.collect",
        "self.at,",
        "{},",
    ),
    _mutation(
        "forget the version of the map that is followed",
        6,
        MAPS,
        "engine.executor:PlanExecutor._rolled_up",
        "version = merged(rollup.entry.version, part.version)",
        "version = rollup.entry.version",
    ),
    _mutation(
        "mix parts of unknown version",
        6,
        UNKNOWN,
        "engine.attempt:Attempts._unversioned",
        "if len(plan.queries) == len(plan.parts) == 1:",
        "if True:",
    ),
    _mutation(
        "file an answer under the version that comes after the reading",
        6,
        STALE,
        "engine.executor:PlanExecutor._fetch",
        "part.version,",
        "tuple(sorted(self._backend.fingerprints(query.tables).items())),",
    ),
    _mutation(
        "share a statement over two versions",
        6,
        FLOWN,
        "engine.executor:PlanExecutor._fetch",
        "None if untold else (keys, version, keeping, limit)",
        "(keys, keeping, limit)",
    ),
    _mutation(
        "let an older entry be of any age",
        6,
        AGED,
        "planner.make:_older_plan",
        "if entry.created >= limit",
        "if True",
    ),
    _mutation(
        "let the age of an older version begin anew",
        6,
        REAGED,
        "engine.executor:PlanExecutor._rolled_up",
        "snapshot.is_of(version)",
        "True",
    ),
    _mutation(
        "plan again without resolving again",
        6,
        RESOLVED,
        "engine.engine:MetricEngine.answer",
        "question = ask(snapshot.typed)",
        'question = vars(attempt).setdefault("question", ask(snapshot.typed))',
    ),
    _mutation(
        "open a DuckDB file anew only where its inode is another",
        6,
        BACKENDS + MOVED["duckdb"],
        "backends.duckdb.version:stamp_of",
        "status.st_size, status.st_mtime_ns, status.st_ctime_ns",
        "0, 0, 1",
    ),
    _mutation(
        "open a SQLite file anew only where its inode is another",
        6,
        BACKENDS + MOVED["sqlite"],
        "backends.sqlite.files:_identity",
        "status.st_size, status.st_mtime_ns, status.st_ctime_ns",
        "0, 0, 1",
    ),
    _mutation(
        "open a Parquet file anew only where its inode is another",
        6,
        BACKENDS + MOVED["polars"],
        "backends.polars.signs:sign_of",
        "status.st_size, status.st_mtime_ns, status.st_ctime_ns",
        "0, 0, 1",
    ),
    _mutation(
        "let integer sums wrap",
        7,
        SUMS,
        "composer.exact:summable",
        "magnitude(array) * max(len(array), 1) <= _INT64_MAX",
        "magnitude(array) >= 0",
    ),
    _mutation(
        "make a sum of nothing 0",
        7,
        SUMS,
        "composer.states:",
        "_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=1)",
        "_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=0)",
    ),
    _mutation(
        "let a fill stand for a minimum of nothing",
        7,
        f"{CASES}[shop: a fill stands where there is nothing to sum, and for no other reducer]",
        "resolver.metrics:MetricNames._stored",
        "if REDUCERS[name].adds_up else None",
        'if REDUCERS[name].adds_up or name == "MIN" else None',
    ),
    _mutation(
        "divide decimals as decimals",
        7,
        f"{CASES}[shop: 47 margin keeps its digits]",
        "composer.functions:_divide",
        "return pc.divide(left, pc.if_else(zero, pa.scalar(None, pa.float64()), right))",
        "quotient = pc.divide(left, pc.if_else(zero, pa.scalar(None, pa.float64()), right))\n"
        "    decimal = any(pa.types.is_decimal(side.type) for side in sides)\n"
        "    return pc.round(quotient, ndigits=2) if decimal else quotient",
    ),
    _mutation(
        "divide by zero to infinity",
        7,
        DIVISION,
        "composer.functions:_divide",
        "zero = pc.equal(right, 0.0)",
        'zero = pc.equal(right, float("inf"))',
    ),
    _mutation(
        "take the mean of means for AVG",
        7,
        f"{CASES}[shop: 7 the mean of rows, not of means]",
        "resolver.metrics:MetricNames._metric",
        "return finished(reducer.finish, part, place)",
        "means = finished(reducer.finish, part, place)\n"
        '        return NestedTerm(means.type, Operator("AVG"), means, ("store",))',
    ),
    _mutation(
        "give decimal sums the type of their column",
        8,
        TYPES,
        "algebra.primitives:summed",
        "return decimal(MAX_PRECISION, argument.scale)",
        "return argument",
    ),
    _mutation(
        "give an empty answer no batch",
        8,
        TYPES,
        "batching:OpenAnswer.__iter__",
        "if empty:",
        "if False:",
    ),
    _mutation(
        "leave the operator's arguments out of identity",
        9,
        SHARED,
        "planner.route:entry_key",
        "metric.identity, metric.operator)",
        "metric.identity, Operator(metric.operator.name))",
    ),
    _mutation(
        "leave the types of values out of a request",
        9,
        REQUESTS,
        "request:Request.key",
        "(name, _type_text(value), value)",
        "(name, value)",
    ),
    _mutation(
        "leave a family's definition out of identity",
        9,
        DEFINITIONS + "test_entries_of_a_former_definition_answer_nothing_of_the_new_one",
        "catalog.collection:Collection.definition_hash",
        "self.family_hashes.get(family, self.structure_hash)",
        "self.structure_hash",
    ),
    _mutation(
        "give hot answers of one engine for another",
        9,
        DEFINITIONS + "test_nor_does_a_hot_answer",
        "engine.engine:MetricEngine.__init__",
        "next(_GENERATIONS)",
        "1",
    ),
    _mutation(
        "show a question the engines of now, not those it began with",
        1,
        DEFINITIONS + "test_a_text_of_sql_means_what_it_meant_when_it_came",
        "runtime:Runtime.engines",
        "self.sets.current if self._pinned is None else self._pinned",
        "self.sets.current",
    ),
    _mutation(
        "leave the zone out of identity",
        9,
        ZONES,
        "catalog.content_hash:content_hash",
        "for key, value in document.items() if key not in _PROSE",
        'for key, value in document.items() if key not in {*_PROSE, "timezone"}',
    ),
    _mutation(
        "leave a family's own filter out of identity",
        9,
        SHARED,
        "resolver.terms:Metric.identity",
        "if not self.filter:",
        "if True:",
    ),
)


def slug(mutation):
    """A mutation's name as one word."""
    return mutation.name.replace("'", "").replace(",", "").replace(" ", "-")


def named(name):
    """The mutation of that name, written as one word."""
    return {slug(mutation): mutation for mutation in MUTATIONS}[name]
