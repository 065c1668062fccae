import { expect, test } from "vitest";
import { Field, Int64, Utf8, vectorFromArray, Float64 } from "apache-arrow";
import { csv } from "../src/grid/export.ts";
import { matching, sorted } from "../src/grid/order.ts";
import { TALLEST, drawn, scrollTo } from "../src/grid/window.ts";
import { columnOf } from "../src/values/column.ts";

test("a short table is drawn whole", () => {
  expect(drawn(3, 26, 400, 0)).toEqual({ first: 0, end: 3, top: 0, height: 78 });
  expect(drawn(0, 26, 400, 0)).toEqual({ first: 0, end: 0, top: 0, height: 0 });
});

test("of a long one what is seen, and a few beside", () => {
  const seen = drawn(1000, 26, 260, 2600);
  expect(seen).toEqual({ first: 94, end: 117, top: 94 * 26, height: 26000 });
});

test("of a million rows every one can be reached, within the tallest element", () => {
  const rows = 1_046_046;
  const start = drawn(rows, 26, 400, 0);
  expect([start.first, start.height]).toEqual([0, TALLEST]);
  const end = drawn(rows, 26, 400, TALLEST - 400);
  expect(end.end).toBe(rows);
  expect(end.top + (rows - end.first) * 26).toBeCloseTo(TALLEST, 3);
  for (let scroll = 0; scroll <= TALLEST - 400; scroll += 99_991) {
    const found = drawn(rows, 26, 400, scroll);
    expect(found.top).toBeLessThanOrEqual(scroll);
    expect(found.top + (found.end - found.first) * 26).toBeGreaterThanOrEqual(scroll + 400);
  }
});

test("a row is scrolled to, and not further", () => {
  expect(scrollTo(5, 1000, 26, 260, 0)).toBe(0);
  expect(scrollTo(10, 1000, 26, 260, 0)).toBe(26);
  expect(scrollTo(3, 1000, 26, 260, 2600)).toBe(78);
  const rows = 1_046_046;
  for (const row of [0, 17, 500_000, rows - 1]) {
    const scroll = scrollTo(row, rows, 26, 400, 4_000_000);
    const found = drawn(rows, 26, 400, scroll);
    const top = found.top + (row - found.first) * 26;
    expect(top).toBeGreaterThanOrEqual(scroll - 1);
    expect(top + 26).toBeLessThanOrEqual(scroll + 401);
  }
});

const numbers = columnOf(new Field("n", new Int64(), true), vectorFromArray(
  [9007199254740993n, null, 9007199254740992n, -1n], new Int64()));
const texts = columnOf(new Field("t", new Utf8(), true), vectorFromArray(["b", "=1+1", null, 'a"c'], new Utf8()));

test("sorting keeps NULL last, and tells large integers apart", () => {
  expect([...sorted(numbers, null, "ascending")]).toEqual([3, 2, 0, 1]);
  expect([...sorted(numbers, null, "descending")]).toEqual([0, 2, 3, 1]);
  expect([...sorted(texts, null, "descending")].at(-1)).toBe(2);
  const doubles = columnOf(new Field("d", new Float64(), true), vectorFromArray([NaN, 1, null, 0], new Float64()));
  expect([...sorted(doubles, null, "ascending")]).toEqual([3, 1, 0, 2]);
});

test("rows are found by any of their texts", () => {
  expect(matching([numbers, texts], "  ")).toBeNull();
  expect([...(matching([numbers, texts], "B") ?? [])]).toEqual([0]);
  expect([...(matching([numbers, texts], "-1") ?? [])]).toEqual([3]);
});

test("a file of the rows holds no formula, and tells NULL from an empty text", () => {
  expect([...csv([numbers, texts], null)].join("")).toBe(
    'n,t\r\n9007199254740993,b\r\n,\'=1+1\r\n9007199254740992,\r\n-1,"a""c"\r\n');
  expect([...csv([texts], Uint32Array.from([3]))].join("")).toBe('t\r\n"a""c"\r\n');
});
