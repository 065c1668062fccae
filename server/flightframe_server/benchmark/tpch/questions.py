"""Ten questions of TPC-H, in Frame-QL and in the SQL of the specification.

What comes in: nothing. What goes out: the questions by their numbers. The SQL is that of the
specification (TPC-H 3.0.1, section 2.4) with its validation parameters, and with its columns in the
order of ours.
"""

from __future__ import annotations

from flightframe_server.benchmark.questions import Question

TPCH = {
    "Q1": Question(
        "SELECT return_flag, line_status, SUM(quantity) AS sum_qty, SUM(price) AS sum_base_price,"
        " SUM(net) AS sum_disc_price, SUM(charged) AS sum_charge, AVG(quantity) AS avg_qty,"
        " AVG(price) AS avg_price, AVG(rebate) AS avg_disc, COUNT(*) AS count_order FROM lines"
        " WHERE ship_date <= DATE '1998-09-02' AT (return_flag, line_status)"
        " ORDER BY return_flag, line_status",
        "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),"
        " sum(l_extendedprice * (1 - l_discount)),"
        " sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity),"
        " avg(l_extendedprice), avg(l_discount), count(*) FROM lineitem"
        " WHERE l_shipdate <= DATE '1998-12-01' - INTERVAL 90 DAY"
        " GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus",
    ),
    "Q3": Question(
        "SELECT order, SUM(net) AS revenue, order_date, ship_priority WHERE segment = 'BUILDING'"
        " AND order_date < DATE '1995-03-15' AND ship_date > DATE '1995-03-15'"
        " AT (order, order_date, ship_priority) ORDER BY revenue DESC, order_date LIMIT 10",
        "SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate,"
        " o_shippriority FROM customer, orders, lineitem WHERE c_mktsegment = 'BUILDING'"
        " AND c_custkey = o_custkey AND l_orderkey = o_orderkey"
        " AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'"
        " GROUP BY l_orderkey, o_orderdate, o_shippriority"
        " ORDER BY revenue DESC, o_orderdate LIMIT 10",
    ),
    "Q5": Question(
        "SELECT customer_nation, SUM(net) AS revenue WHERE region = 'ASIA'"
        " AND customer_nation = supplier_nation AND order_year = 1994 AT customer_nation"
        " ORDER BY revenue DESC",
        "SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue"
        " FROM customer, orders, lineitem, supplier, nation, region WHERE c_custkey = o_custkey"
        " AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey"
        " AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'"
        " AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01'"
        " GROUP BY n_name ORDER BY revenue DESC",
    ),
    "Q6": Question(
        "SELECT SUM(saved) AS revenue WHERE ship_year = 1994 AND discount BETWEEN 0.05 AND 0.07"
        " AND size < 24 AT ()",
        "SELECT sum(l_extendedprice * l_discount) FROM lineitem"
        " WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'"
        " AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24",
    ),
    "Q7": Question(
        "SELECT supplier_nation, customer_nation, ship_year, SUM(net) AS revenue"
        " WHERE (supplier_nation = 'FRANCE' AND customer_nation = 'GERMANY'"
        " OR supplier_nation = 'GERMANY' AND customer_nation = 'FRANCE')"
        " AND ship_date BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'"
        " AT (supplier_nation, customer_nation, ship_year)",
        "SELECT n1.n_name, n2.n_name, date_trunc('year', l_shipdate)::DATE,"
        " sum(l_extendedprice * (1 - l_discount))"
        " FROM supplier, lineitem, orders, customer, nation n1, nation n2"
        " WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey"
        " AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey"
        " AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY')"
        " OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))"
        " AND l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31' GROUP BY 1, 2, 3",
    ),
    "Q8": Question(
        "SELECT order_year, COALESCE(SUM(net) FILTER (WHERE supplier_nation = 'BRAZIL'), 0)"
        " / SUM(net) AS share"
        " WHERE region = 'AMERICA' AND part_type = 'ECONOMY ANODIZED STEEL'"
        " AND order_date BETWEEN DATE '1995-01-01' AND DATE '1996-12-31' AT order_year",
        "SELECT date_trunc('year', o_orderdate)::DATE,"
        " sum(CASE WHEN n2.n_name = 'BRAZIL' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)"
        " / sum(l_extendedprice * (1 - l_discount))"
        " FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region"
        " WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey"
        " AND o_custkey = c_custkey AND c_nationkey = n1.n_nationkey"
        " AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'"
        " AND s_nationkey = n2.n_nationkey"
        " AND o_orderdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'"
        " AND p_type = 'ECONOMY ANODIZED STEEL' GROUP BY 1",
    ),
    "Q9": Question(
        "SELECT supplier_nation, order_year, SUM(gain) AS profit WHERE part_name LIKE '%green%'"
        " AT (supplier_nation, order_year)",
        "SELECT n_name, date_trunc('year', o_orderdate)::DATE,"
        " sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity)"
        " FROM part, supplier, lineitem, partsupp, orders, nation"
        " WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey"
        " AND p_partkey = l_partkey AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey"
        " AND p_name LIKE '%green%' GROUP BY 1, 2",
    ),
    "Q12": Question(
        "SELECT ship_mode, COUNT(*) FILTER (WHERE priority IN ('1-URGENT', '2-HIGH')) AS high,"
        " COUNT(*) FILTER (WHERE priority NOT IN ('1-URGENT', '2-HIGH')) AS low FROM lines"
        " WHERE ship_mode IN ('MAIL', 'SHIP') AND commit_date < receipt_date"
        " AND ship_date < commit_date AND receipt_date >= DATE '1994-01-01'"
        " AND receipt_date < DATE '1995-01-01' AT ship_mode",
        "SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT'"
        " OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END),"
        " sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH'"
        " THEN 1 ELSE 0 END) FROM orders, lineitem WHERE o_orderkey = l_orderkey"
        " AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate"
        " AND l_shipdate < l_commitdate AND l_receiptdate >= DATE '1994-01-01'"
        " AND l_receiptdate < DATE '1995-01-01' GROUP BY l_shipmode",
    ),
    "Q14": Question(
        "SELECT 100 * SUM(net) FILTER (WHERE part_type LIKE 'PROMO%') / SUM(net) AS promo_revenue"
        " WHERE ship_date >= DATE '1995-09-01' AND ship_date < DATE '1995-10-01' AT ()",
        "SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice"
        " * (1 - l_discount) ELSE 0 END) / sum(l_extendedprice * (1 - l_discount))"
        " FROM lineitem, part WHERE l_partkey = p_partkey"
        " AND l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'",
    ),
    "Q18": Question(
        "SELECT customer_name, customer, order, order_date, total_price, SUM(quantity) AS quantity"
        " AT (customer_name, customer, order, order_date, total_price)"
        " HAVING SUM(quantity) > 300 ORDER BY total_price DESC, order_date, order LIMIT 100",
        "SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)"
        " FROM customer, orders, lineitem WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem"
        " GROUP BY l_orderkey HAVING sum(l_quantity) > 300) AND c_custkey = o_custkey"
        " AND o_orderkey = l_orderkey GROUP BY c_name, c_custkey, o_orderkey, o_orderdate,"
        " o_totalprice ORDER BY o_totalprice DESC, o_orderdate, o_orderkey LIMIT 100",
    ),
}
"""Each by its number in the specification."""
