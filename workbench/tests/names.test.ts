/** The tree of names: groups that fold, and words that open them. */
import { describe, expect, it } from "vitest";
import type { CollectionNames } from "../src/api/types.ts";
import { FEW, linesOf } from "../src/catalogue/names.ts";

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
