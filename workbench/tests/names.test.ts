/** The tree of names: groups that fold, and words that open them. */
import { describe, expect, it } from "vitest";
import { bodyOf } from "../src/api/query.ts";
import type { CollectionNames } from "../src/api/types.ts";
import { FEW, grainText, linesOf, selectFrom } from "../src/catalogue/names.ts";

function collection(metrics: number, levels: number): CollectionNames {
  return {
    name: "large", description: "", schemas: [],
    metrics: Array.from({ length: metrics }, (_, number) => ({
      name: `m${number}`, description: number === 7 ? "the Seventh" : "", type: "double", reducers: ["SUM"],
      required: number === 0 ? ["month"] : [],
    })),
    levels: Array.from({ length: levels }, (_, number) => ({
      name: `l${number}`, description: "", type: "text", family: `family ${number % 2}`,
    })),
  };
}

const told = (lines: ReturnType<typeof linesOf>) => lines.map((line) => (line.kind === "group" ? `${line.open ? "▾" : "▸"}${line.name} ${line.count}` : line.name));

describe("the lines of a tree", () => {
  it("are all open where there are few", () => {
    expect(told(linesOf(collection(2, 3), "", {}))).toEqual(["▾Metrics 2", "m0", "m1", "▾family 0 2", "l0", "l2", "▾family 1 1", "l1"]);
  });
  it("are folded where there are many, until a reader unfolds a group", () => {
    const many = collection(FEW, 2);
    expect(told(linesOf(many, "", {}))).toEqual([`▸Metrics ${FEW}`, "▸family 0 1", "▸family 1 1"]);
    expect(told(linesOf(many, "", { "levels family 1": true }))).toEqual([`▸Metrics ${FEW}`, "▸family 0 1", "▾family 1 1", "l1"]);
  });
  it("are open where words are sought, and hold what has them in its name or its description", () => {
    const many = collection(FEW, 2);
    expect(told(linesOf(many, " SEVENTH", { metrics: false }))).toEqual(["▾Metrics 1", "m7"]);
    expect(told(linesOf(many, "l1", {}))).toEqual(["▾family 1 1", "l1"]);
    expect(linesOf(many, "no such", {})).toEqual([]);
  });
  it("say what is not asked freely", () => {
    const [, first, second] = linesOf(collection(2, 0), "", {});
    expect(first).toMatchObject({ lock: "may be asked only with month" });
    expect(second).toMatchObject({ lock: "" });
  });
});

describe("saved frames", () => {
  const frame = (name: string, grain: string[]) => ({
    name, description: "sold in each month", query: "SELECT month, revenue AT month", grain,
    columns: [{ name: "month", type: "date" }, { name: "revenue", type: "double" }],
  });
  it("stand below metrics and levels, with their grain and their columns", () => {
    const lines = linesOf({ ...collection(1, 1), frames: [frame("monthly_sales", ["region", "month"]), frame("all", [])] }, "", {});
    expect(told(lines)).toEqual(["▾Metrics 1", "m0", "▾family 0 1", "l0", "▾Saved frames 2", "monthly_sales", "all"]);
    expect(lines[5]).toMatchObject({
      kind: "frame", word: "region, month", lock: "",
      title: "monthly_sales\nsold in each month\none row per region, month\ncolumns: month, revenue",
    });
    expect(lines[6]).toMatchObject({ word: "one row", title: "all\nsold in each month\none row\ncolumns: month, revenue" });
  });
  it("are found by words, and no group is shown where there are none", () => {
    const facts = { ...collection(1, 0), frames: [frame("monthly_sales", ["month"])] };
    expect(told(linesOf(facts, "each month", {}))).toEqual(["▾Saved frames 1", "monthly_sales"]);
    expect(told(linesOf({ ...facts, frames: [] }, "", {}))).toEqual(["▾Metrics 1", "m0"]);
    expect(grainText(frame("x", ["day"]))).toBe("day");
  });
  it("are asked in SQL, in quotes where a name could be a word of it", () => {
    expect(selectFrom("monthly_sales")).toBe("SELECT * FROM monthly_sales LIMIT 10");
    for (const name of ["table", "order", "Sales", "current_date", "a b"]) expect(selectFrom(name)).toBe(`SELECT * FROM "${name}" LIMIT 10`);
    expect(selectFrom('a"b')).toBe('SELECT * FROM "a""b" LIMIT 10');
    expect(bodyOf(selectFrom("monthly_sales"), { collection: null })).toEqual({ sql: "SELECT * FROM monthly_sales LIMIT 10" });
    expect(bodyOf(selectFrom("table"), { collection: "shop" })).toEqual({ sql: 'SELECT * FROM "table" LIMIT 10', collection: "shop" });
  });
});
