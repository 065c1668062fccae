"""A model as `ac.yaml`."""

from functools import lru_cache

import yaml
from questions import families_of, names_in, write
from worlds import model_of

from flightframe_server.catalog import read_collection


@lru_cache(maxsize=256)
def model_and_collection(shape):
    """The model of a shape, and the collection that the product reads from its YAML."""
    model = model_of(shape, families_of)
    return model, read_collection(text_of(model))


def text_of(model):
    """The whole file."""
    body = {
        "version": 1,
        "name": "world",
        "schemas": [
            {
                "name": name,
                "table": name,
                "grain": model.grains[name],
                "columns": {column: column for column in columns},
            }
            for name, columns in model.columns.items()
        ],
        "dimension_families": [
            _dimension(model, name, levels) for name, levels in model.dimensions.items()
        ],
        "derived_dimensions": [
            {
                "name": edge.target,
                "source": edge.source,
                "mapping": dict(edge.values),
                **({"default": edge.default} if edge.default else {}),
            }
            for edge in model.edges
            if edge.values
        ],
        "metric_families": [_family(family) for family in model.families.values()],
    }
    return yaml.safe_dump(body, sort_keys=False)


def _dimension(model, name, levels):
    derived = {edge.target for edge in model.edges if edge.values}
    listed = [level for level in levels if level not in derived]
    edges = []
    for edge in model.edges:
        if edge.values or edge.source not in listed:
            continue
        made = {"from": edge.source, "to": edge.target}
        made.update({"via": edge.table} if edge.table else {"derived_by": edge.function})
        edges.append(made)
    return {"name": name, "levels": listed, **({"edges": edges} if edges else {})}


def _family(family):
    if family.formula is not None:
        formula = write(family.formula)
        derived = {"formula": formula, "inputs": names_in(family.formula)}
        return {"name": family.name, "derived": derived}
    root = {"schema": family.schema}
    if family.column is not None:
        root["column"] = family.column
    made = {"name": family.name, "family_root": root}
    if family.column is not None:
        made["ip_reducers"] = [_reducer(reducer) for reducer in family.reducers]
    if family.default is not None:
        made["default_reducer"] = family.default
    elif len(family.reducers) > 1 and not any(item.default for item in family.reducers):
        made["default_reducer"] = family.reducers[0].operator
    if family.filter is not None:
        made["filter"] = write(family.filter)
    if family.fill is not None:
        made["fill"] = family.fill
    if family.siblings:
        made["siblings"] = [
            {"schema": schema, "column": family.column, "operator": "SUM"}
            for schema in family.siblings
        ]
    return made


def _reducer(reducer):
    made = {"operator": reducer.operator, "a_block": list(reducer.a_block)}
    if reducer.order_by:
        made["order_by"] = list(reducer.order_by)
    if reducer.default:
        made["default"] = True
    if reducer.snapshot:
        level, pick, per = reducer.snapshot
        made["snapshot"] = {"level": level, "pick": pick, "per": list(per)}
    return made
