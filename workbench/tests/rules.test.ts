import { expect, test } from "vitest";
import { choose, type Choice, type Facts } from "../src/chart/rule.ts";
import { placeAt, toCharacters, toPlace } from "../src/editor/offsets.ts";
import { drawing, related } from "../src/plan/layout.ts";
import { fragmentOf, pathOf, placeOf, queryStateOf, searchOf, thresholdsOf } from "../src/state/address.ts";
import { pythonText, shellText, snippets } from "../src/code/snippets.ts";

const level = (name: string, members: number, kind: Facts["kind"] = "text"): Facts => ({ name, kind, role: "level", members, withinOne: false });
const metric = (name: string, withinOne = false): Facts => ({ name, kind: "number", role: "metric", members: 9, withinOne });
const chart = (columns: Facts[], rows = 20) => (choose(columns, rows) as Choice).chart;

test("the anchor chooses the chart", () => {
  expect(chart([metric("revenue")], 1)).toBe("numbers");
  expect(chart([level("month", 15, "moment"), metric("revenue")])).toBe("line");
  expect(chart([level("region", 3), level("month", 15, "moment"), metric("revenue")])).toBe("line");
  expect(chart([level("store", 13), level("month", 15, "moment"), metric("revenue")])).toBe("multiples");
  expect(chart([level("region", 3), metric("revenue")])).toBe("bars");
  expect(chart([level("region", 3), level("category", 9), metric("revenue")])).toBe("grouped");
  expect(chart([level("store", 13), level("category", 9), metric("revenue")])).toBe("heat");
  expect(choose([level("region", 3)], 3)).toBe("there is no column of numbers to draw");
  expect(choose([metric("revenue")], 0)).toBe("there are no rows to draw");
});

test("a reader's choice is kept where it can be drawn, and the rest is named", () => {
  const columns = [level("region", 3), level("month", 15, "moment"), metric("revenue"), metric("cost")];
  const found = choose(columns, 45, { chart: "heat", metric: "cost" }) as Choice;
  expect([found.chart, found.along, found.by, found.metric]).toEqual(["heat", "month", "region", "cost"]);
  expect(found.left).toEqual(["revenue"]);
  expect((choose([level("region", 3), metric("revenue")], 3, { chart: "heat" }) as Choice).chart).toBe("bars");
});

test("a level of numbers is a level", () => {
  const found = choose([{ ...level("store", 13), kind: "number" }, metric("revenue")], 13) as Choice;
  expect([found.along, found.metric]).toEqual(["store", "revenue"]);
});

test("a share is drawn in per cent", () => {
  expect((choose([level("region", 3), metric("margin", true)], 3) as Choice).percent).toBe(true);
  expect((choose([level("region", 3), metric("margin", false)], 3) as Choice).percent).toBe(false);
  expect((choose([level("region", 3), metric("revenue", true)], 3) as Choice).percent).toBe(false);
});

test("a plan stands left to right, and no two boxes overlap", () => {
  const nodes = ["table", "fetch", "entry", "column"].map((id) => ({ id, lines: [id, "12 rows"] }));
  const edges = [["table", "fetch"], ["fetch", "column"], ["entry", "column"], ["gone", "column"]]
    .map(([source = "", target = ""]) => ({ source, target }));
  const found = drawing(nodes, edges);
  const box = (id: string) => found.boxes.find((item) => item.id === id)!;
  expect(box("table").x + box("table").width).toBeLessThan(box("fetch").x);
  expect(box("fetch").x + box("fetch").width).toBeLessThan(box("column").x);
  expect(found.lines).toHaveLength(3);
  for (const a of found.boxes) for (const b of found.boxes) {
    if (a.id < b.id) expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
  }
  expect([...related("fetch", edges)].sort()).toEqual(["column", "fetch", "table"]);
});

test("every page has an address, and every address is its page", () => {
  for (const path of ["/", "/engine", "/help", "/help/frame-ql", "/catalogue", "/catalogue/matrix", "/catalogue/metric/a%2Fb%20%3Cimg%3E"]) {
    expect(pathOf(placeOf(path))).toBe(path);
  }
  expect(placeOf("/catalogue/metric/a%2Fb")).toEqual({ page: "catalogue", kind: "metric", name: "a/b" });
  expect(placeOf("/nowhere/%E0%A4%A")).toEqual({ page: "query" });
});

test("a text stands in the fragment and comes back as it was", () => {
  const text = "SELECT revenue, '100% & #1' AS \"x=y\"\n\tAT region -- é 🙂";
  for (const tab of ["rows", "chart"] as const) expect(queryStateOf(fragmentOf({ text, tab }))).toEqual({ text, tab });
  expect(queryStateOf(fragmentOf({ text, tab: "chart", chart: "heat", metric: "a b" }))).toEqual({ text, tab: "chart", chart: "heat", metric: "a b" });
  expect(queryStateOf("#unit")).toBeNull();
  expect(queryStateOf("#q=x&tab=nothing&chart=pie")).toEqual({ text: "x", tab: "rows" });
});

test("thresholds of an address", () => {
  expect(thresholdsOf("")).toEqual({ min_hits: 100, min_age_days: 7, min_hits_per_day: 0 });
  expect(thresholdsOf("?min_hits=0&min_age_days=0.5&min_hits_per_day=-1")).toEqual({ min_hits: 0, min_age_days: 0.5, min_hits_per_day: 0 });
  expect(searchOf({ min_hits: 0, min_age_days: 0, min_hits_per_day: 0 })).toBe("?min_hits=0&min_age_days=0&min_hits_per_day=0");
});

test("characters outside the first plane are one for the server, two here", () => {
  const text = "a🙂b\nc🙂d";
  expect(toCharacters(text, 3)).toBe(2);
  expect(toPlace(text, 2)).toBe(3);
  expect(placeAt(text, 2, 3)).toBe(text.indexOf("d"));
  expect(placeAt(text, 9, 1)).toBe(text.length);
  expect(placeAt(text, 1, 99)).toBe(text.indexOf("\n"));
});

test("no text ends the string that holds it", () => {
  expect(shellText("it's")).toBe("'it'\\''s'");
  expect(pythonText('say "x" \\ y')).toBe('"say \\"x\\" \\\\ y"');
  expect(pythonText('a\n"""b')).toBe('"""a\n\\"\\"\\"b"""');
  const addresses = { http: "http://127.0.0.1:8000", flight: "grpc://127.0.0.1:8815" };
  const named = Object.fromEntries(snippets("SELECT revenue AT region WHERE region = 'East'", addresses).map((item) => [item.name, item.text]));
  expect(named["curl"]).toContain(`-d '{"source":"SELECT revenue AT region WHERE region = '\\''East'\\''"}'`);
  expect(named["ADBC"]).toContain('"grpc+tcp://127.0.0.1:8815"');
  expect(named["Polars"]).toContain("flightsql://127.0.0.1:8815?transport=tcp");
  expect(named["JDBC"]).toContain("jdbc:arrow-flight-sql://127.0.0.1:8815/?useEncryption=false");
});

test("a plan's line begins right of its source and ends left of its target", () => {
  const found = drawing([{ id: "a", lines: ["a"] }, { id: "b", lines: ["b", "of many words"] }], [{ source: "a", target: "b" }]);
  const [a, b] = found.boxes;
  const numbers = (found.lines[0]?.path.match(/[\d.]+/g) ?? []).map(Number);
  expect(numbers[0]).toBeCloseTo(a!.x + a!.width, 0);
  expect(numbers.at(-2)).toBeCloseTo(b!.x, 0);
});

test("a box that nothing leads to stands among the last ones", () => {
  const nodes = ["entry", "column", "level"].map((id) => ({ id, lines: [id] }));
  const found = drawing(nodes, [{ source: "entry", target: "column" }]);
  const right = (id: string) => found.boxes.find((box) => box.id === id)!.x;
  expect(right("level")).toBeGreaterThan(right("entry"));
  expect(found.lines).toHaveLength(1);
});
