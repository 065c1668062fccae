import { expect, test } from "vitest";
import { bytesText, countOf, durationText, percentText } from "../src/values/amounts.ts";
import { isFrameQL } from "../src/editor/language.ts";

test("amounts are read at a glance", () => {
  expect([0, 1, 1023, 1024, 1_572_864, 1_073_741_824].map(bytesText)).toEqual(["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 MiB", "1.0 GiB"]);
  expect([0.0004, 0.0123, 0.5, 12.34, 90, 7260, 200_000].map(durationText)).toEqual(["0.4 ms", "12 ms", "500 ms", "12.3 s", "1 min 30 s", "2 h 1 min", "2.3 days"]);
  expect([countOf(1, "row"), countOf(1046046, "row"), countOf(0, "entry", "entries")]).toEqual(["1 row", "1,046,046 rows", "0 entries"]);
  expect([0, 0.01, 3.14159, 55.5].map(percentText)).toEqual(["0.0 %", "< 0.1 %", "3.1 %", "56 %"]);
});

test("a text with AT is Frame-QL, and so is one with a mistake", () => {
  expect(isFrameQL("SELECT revenue at region")).toBe(true);
  expect(isFrameQL("SELECT * FROM system.last_queries")).toBe(false);
  expect(isFrameQL("SELECT 'AT' AS x FROM t -- AT y")).toBe(false);
  expect(isFrameQL("SELECT revenue AT (")).toBe(true);
});

test("what only SQL has makes a text SQL, with an AT of SQL as well", () => {
  expect(isFrameQL("SELECT region, SUM(revenue) FROM metrics GROUP BY region")).toBe(false);
  expect(isFrameQL("WITH q AS (SELECT region FROM metrics) SELECT * FROM q")).toBe(false);
  expect(isFrameQL("SELECT day AT TIME ZONE 'UTC' AS d, SUM(units) FROM metrics GROUP BY 1")).toBe(false);
  expect(isFrameQL("SELECT t.region FROM sales s JOIN stores t ON s.store = t.store")).toBe(false);
});
