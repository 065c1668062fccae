"""A plan as a graph: each route, what was passed over, and the columns that come of it."""

from planned import held, plan

from flightframe_server.planner.explain import explain
from flightframe_server.planner.plan_graph import plan_graph
from flightframe_server.provenance import ServedFrom

STORE = "SELECT store, revenue AT store"


def graph_of(text, *entries, rows=None, **options):
    return plan_graph(plan(text, *entries, **options), rows or {}, ServedFrom.ENGINE_BACKEND)


def nodes(graph, kind):
    return [node for node in graph.nodes if node.kind == kind]


def leads_to(graph, source, target):
    """Whether an edge, or several, lead from one node to another."""
    reached, before = {source}, set()
    while reached != before:
        before = set(reached)
        reached |= {edge.target for edge in graph.edges if edge.source in reached}
    return target in reached


def test_what_the_database_is_asked_comes_from_its_tables_and_goes_to_its_column():
    graph = graph_of("SELECT region, revenue AT region", rows={"t_tx": 5, "t_stores": 3})
    assert {node.label: node.rows for node in nodes(graph, "table")} == {"t_tx": 5, "t_stores": 3}
    (fetch,) = nodes(graph, "fetch")
    assert fetch.served_from is ServedFrom.ENGINE_BACKEND
    assert set(graph.queries) == {fetch.id}
    (column,) = [node for node in nodes(graph, "column") if node.label == "revenue"]
    for table in nodes(graph, "table"):
        assert leads_to(graph, table.id, fetch.id)
        assert leads_to(graph, table.id, column.id)


def test_an_entry_is_read_and_a_finer_one_rolled_up():
    graph = graph_of("SELECT region, revenue AT region", held(STORE, "e1", rows=6))
    (entry,) = nodes(graph, "entry")
    assert (entry.rows, entry.served_from) == (6, ServedFrom.ENGINE_CACHE)
    (rollup,) = nodes(graph, "rollup")
    assert leads_to(graph, entry.id, rollup.id)
    assert nodes(graph, "fetch") == nodes(graph, "table") == []
    assert graph.queries == {}
    exact = graph_of(STORE, held(STORE, "e1", rows=6))
    assert nodes(exact, "rollup") == []


def test_a_rejected_entry_says_what_explain_says():
    older = held(STORE, "b", sign="0")
    graph = graph_of("SELECT region, revenue AT region", older)
    (step,) = explain(plan("SELECT region, revenue AT region", older), lambda query: "")
    reasons = [node.reason for node in nodes(graph, "rejected")]
    assert reasons == [
        "it was made from an older t_tx",
        "sibling daily: it was never compared with the root",
    ]
    assert all(reason in step.why_not for reason in reasons)


def test_a_formula_is_composed_of_its_inputs_and_a_hidden_column_is_named_so():
    inputs = (held(STORE, "r"), held("SELECT store, cost AT store", "c"))
    graph = graph_of("SELECT store, profit AT store ORDER BY COUNT(cost)", *inputs)
    columns = {node.label: node for node in nodes(graph, "column")}
    assert set(columns) == {"store", "profit", "(hidden)"}
    (compose,) = nodes(graph, "compose")
    assert len(nodes(graph, "entry")) == 2
    for entry in nodes(graph, "entry"):
        assert leads_to(graph, entry.id, compose.id)
        assert leads_to(graph, entry.id, columns["profit"].id)
    (fetch,) = nodes(graph, "fetch")
    assert leads_to(graph, fetch.id, columns["(hidden)"].id)
    assert not leads_to(graph, fetch.id, columns["profit"].id)


def test_a_streamed_frame_is_one_node_and_every_edge_joins_nodes_that_are_there():
    graph = graph_of(STORE, stream_rows=-1)
    assert len(nodes(graph, "fetch")) == 1
    names = {node.id for node in graph.nodes}
    assert len(names) == len(graph.nodes)
    assert all({edge.source, edge.target} <= names for edge in graph.edges)
    for node in graph.nodes:
        assert set(node.to_json()) >= {"id", "kind", "label", "served_from", "reason"}
    assert all(set(edge.to_json()) == {"source", "target", "label"} for edge in graph.edges)
