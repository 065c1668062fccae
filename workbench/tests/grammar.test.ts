import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { frameQL } from "../src/editor/language.ts";

/** Texts that the server's parser accepts; the Python tests put all of theirs into a file. */
const texts: string[] = process.env["FRAME_QL_TEXTS"]
  ? (JSON.parse(readFileSync(process.env["FRAME_QL_TEXTS"], "utf8")) as string[])
  : [
      "SELECT region, SUM(revenue) AS total_revenue AT region",
      "explain select revenue at (region, day) where region in ('East', 'it''s') and not day between date '2024-01-01' and ?;",
      "SELECT LAST(on_hand) last, first AT {} HAVING revenue / 2 > -1 ORDER BY last DESC NULLS FIRST, date LIMIT $n OFFSET 2 PER (region)",
      "SELECT SUM(revenue) FILTER (WHERE region IS NOT DISTINCT FROM 'East') / revenue@region AS \"a b\" AT calendar.month -- end",
      "SELECT CASE WHEN revenue > 1e3 THEN 'x' ELSE NULL END c, CAST(units AS decimal(9, 2)), EXTRACT(year FROM day) AT day",
      "SELECT order, \"by\", COUNT(*), COUNT(DISTINCT store) /* a * b */ FROM transactions WHERE x LIKE 'a%' AT order.by",
      "SELECT t.region, retail.metrics.revenue FROM retail.transactions AS t AT t.region ORDER BY t.region",
      "SELECT revenue AT (LOWER(stall) AS small, month) ORDER BY 2",
      "SELECT s AT (CASE WHEN region = 'West' THEN 'coast' ELSE 'inland' END AS s, r AS t) HAVING REALISED AND s < 'i'",
      "SELECT AVG(revenue @ (EXTRACT(month FROM day) AS m)), revenue / (revenue @ ()) AS share AT store WHERE day + 1 < CURRENT_DATE AND interval > day - INTERVAL 1 month + INTERVAL '2 years'",
      "SELECT POSITION('a' IN LOWER(x)) p, position, POSITION AS realised, REALISED AT position",
      "SELECT cube, GROUPING(region) AS whole AT ROLLUP (region, (year, month), LOWER(a) AS b, (CASE WHEN x = 1 THEN 'a' END AS c), (d))",
      "SELECT sets AT grouping sets ((a, b), (), LOWER(c) AS d) WHERE rollup IS NOT KNOWN AND known IN $list AND b NOT IN ?",
      "SELECT rollup AT cube",
      "SELECT last WHERE day IN (LAST 30 days) AND last NOT IN (last 2 month) AND x IN (last, LAST) AT last",
      "SELECT LEFT(a, 2), RIGHT(a, 2), TRIM(a), REPLACE(a, 'x', ''), FLOOR(m), CEIL(m), MOD(m, 2) AT a",
    ];

/** Return the names of nodes and what each holds. */
function nodesOf(text: string): string[] {
  const found: string[] = [];
  frameQL.parser.parse(text).iterate({ enter: (node) => { found.push(`${node.name}: ${text.slice(node.from, node.to)}`); } });
  return found;
}

test("what the server accepts is no error here", () => {
  const wrong = texts.filter((text) => {
    let error = false;
    frameQL.parser.parse(text).iterate({ enter: (node) => { error ||= node.type.isError; } });
    return error;
  });
  expect(wrong).toEqual([]);
});

test("an ad-hoc level is an expression with the name of a level", () => {
  const nodes = nodesOf("SELECT revenue AT (LOWER(stall) AS small, month)");
  expect(nodes).toContain("AdHocLevel: LOWER(stall) AS small");
  expect(nodes).toContain("Alias: small");
  expect(nodes).toContain("Level: month");
});

test("words that stand for a value are constants where nothing makes them names", () => {
  const nodes = nodesOf("SELECT realised.x, current_date(1) AS realised AT day HAVING REALISED AND day < current_date");
  expect(nodes.filter((node) => node.startsWith("Constant"))).toEqual(["Constant: REALISED", "Constant: current_date"]);
});

test("a part of a text is looked for in another", () => {
  const nodes = nodesOf("SELECT POSITION('a' IN LOWER(x)) AT x WHERE x IN ('a')");
  expect(nodes).toContain("Position: POSITION('a' IN LOWER(x))");
  expect(nodes).toContain("Test: x IN ('a')");
});
