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
    ];

test("what the server accepts is no error here", () => {
  const wrong = texts.filter((text) => {
    let error = false;
    frameQL.parser.parse(text).iterate({ enter: (node) => { error ||= node.type.isError; } });
    return error;
  });
  expect(wrong).toEqual([]);
});
