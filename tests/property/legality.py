"""Laws 4 and 5 by brute force: what an anchor determines, and what a reducer may not collapse."""

import oracle


def closure(model, levels):
    """The levels and all that they determine, by trying every edge until nothing is new."""
    known = set(levels)
    while True:
        found = {edge.target for edge in model.edges if edge.source in known} - known
        if not found:
            return known
        known |= found


def own_levels(model, schema):
    """The levels that are columns of a schema."""
    return [column for column in model.columns[schema] if column in model.levels]


def levels_in(test):
    """The levels a test reads."""
    if not isinstance(test, tuple):
        return set()
    if len(test) == 2 and test[0] == "level":
        return {test[1]}
    return set().union(*map(levels_in, test)) if test else set()


def pinned(test):
    """The levels that some outermost conjunct holds to one member."""
    match test:
        case ("and", parts):
            return set().union(*map(pinned, parts))
        case ("cmp", "=", ("level", level), ("lit", value)) if not isinstance(value, float):
            return {level}
        case ("cmp", "=", ("lit", value), ("level", level)) if not isinstance(value, float):
            return {level}
        case ("in", ("level", level), values) if len({*map(repr, values)}) == 1:
            return set() if isinstance(values[0], float) else {level}
        case ("null", ("level", level)):
            return {level}
    return set()


def legal(model, question):
    """Whether the rules of the collection allow a question."""
    frames = oracle.Frames(model, {}, None)
    outputs = dict(question.items)
    terms = [
        *outputs.values(),
        *(oracle.resolved(term, outputs) for term, _, _ in question.order),
        *oracle.operands(oracle.resolved(question.having, outputs)),
    ]
    terms = [term for term in terms if term[0] != "level"]
    for term in terms:
        if not sums_legally(model, frames, term, question.anchor, question.where):
            return False
        for node, anchor in frames.needs(term, question.anchor):
            if not reducer_legal(model, frames, node, anchor, question.where):
                return False
    return True


def reducer_legal(model, frames, node, anchor, where):
    """Whether one reducer may be asked at an anchor under a filter."""
    schema = frames.schema_of(node)
    reach = closure(model, own_levels(model, schema))
    if not {*anchor, *levels_in(where)} <= reach:
        return False
    if node[0] == "rows":
        return True
    _, reducer, name, _, asked = node
    family = model.families[name]
    declared = next((item for item in family.reducers if item.operator == reducer), None)
    if not (levels_in(asked) | levels_in(family.filter)) <= reach:
        return False
    if declared is None:
        return reducer not in ("SUM", "FIRST", "LAST")
    kept = {*anchor, *pinned(where)}
    for level in own_levels(model, schema):
        if model.family_of(level) in declared.a_block and not settled(model, schema, level, kept):
            return False
    known = {*kept, *declared.order_by}
    grain = model.grains[schema] if declared.order_by else ()
    return all(settled(model, schema, level, known) for level in grain)


def settled(model, schema, level, known):
    """Whether rows that agree in the known levels agree in this one, by the path they take to it.

    A column of theirs agrees with itself alone: it may differ from what an edge says.
    """
    _, edges = oracle.path(model, schema, level) or (None, ())
    return level in known or any(edge.source in known for edge in edges)


def sums_legally(model, frames, term, anchor, where):
    """Whether no outer SUM adds an inner family up over what its own SUM may not collapse."""
    match term:
        case ("bare", name) if model.families[name].formula is not None:
            return sums_legally(model, frames, model.families[name].formula, anchor, where)
        case ("bin", _, one, other):
            return all(sums_legally(model, frames, side, anchor, where) for side in (one, other))
        case ("fn", _, arguments):
            return all(sums_legally(model, frames, side, anchor, where) for side in arguments)
        case ("nested", reducer, inner, own):
            cells = {*own, *anchor}
            if not is_finer(model, frames, inner, own, anchor):
                return False
            if reducer == "SUM":
                kept = {*anchor, *pinned(where)}
                for node, _ in frames.needs(inner, tuple(sorted(cells))):
                    schema = frames.schema_of(node)
                    gone = {cell for cell in cells if not settled(model, schema, cell, kept)}
                    if node[0] == "call" and blocked_over(model, node[2], gone):
                        return False
            return sums_legally(model, frames, inner, tuple(sorted(cells)), where)
    return True


def is_finer(model, frames, inner, own, anchor):
    """Whether a point may have several cells: some level of theirs is left open by the anchor."""
    schemas = {frames.schema_of(node) for node, _ in frames.needs(inner, ())}
    return any(
        not settled(model, schema, level, set(anchor)) for schema in schemas for level in own
    )


def blocked_over(model, name, levels):
    """Whether SUM of a family is blocked over the dimension family of any of these levels.

    A level that a blocked family's column determines stands for that family: seasons are months.
    """
    family = model.families[name]
    for reducer in family.reducers:
        if reducer.operator != "SUM":
            continue
        columns = [
            level
            for level in own_levels(model, family.schema)
            if model.family_of(level) in reducer.a_block
        ]
        for level in levels:
            if model.family_of(level) in reducer.a_block or level in closure(model, columns):
                return True
    return False
