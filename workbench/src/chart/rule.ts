/**
 * Which chart an anchor asks for: one rule table, shown to the reader and changeable.
 *
 * What comes in are the columns of an answer, levels and metrics, with how many members each has;
 * what goes out is a choice. It must never drop a column silently: what is not drawn is named.
 */
import type { Kind } from "../values/column.ts";

export const CHARTS = ["numbers", "line", "multiples", "bars", "grouped", "heat"] as const;
export type Chart = (typeof CHARTS)[number];

export const CHART_NAMES: Readonly<Record<Chart, string>> = {
  numbers: "Big numbers", line: "Lines over time", multiples: "Small multiples", bars: "Bars",
  grouped: "Grouped bars", heat: "Heat map",
};

/** The most lines of one picture; more become small multiples. */
export const MOST_LINES = 12;
/** The most bars that can be told apart. */
export const MOST_BARS = 60;
/** The most small multiples. */
export const MOST_MULTIPLES = 24;

/** A column as the rule sees it. */
export interface Facts {
  readonly name: string;
  readonly kind: Kind;
  readonly role: "level" | "metric";
  /** How many different values there are. */
  readonly members: number;
  /** Whether all values lie between 0 and 1. */
  readonly withinOne: boolean;
}

/** What is drawn, and why. */
export interface Choice {
  readonly chart: Chart;
  /** The level along the axis; null for numbers alone. */
  readonly along: string | null;
  /** The level told apart by colour, row or picture. */
  readonly by: string | null;
  readonly metric: string;
  readonly percent: boolean;
  /** The other charts that can draw the same columns. */
  readonly others: readonly Chart[];
  readonly reason: string;
  /** Columns that the chart does not show. */
  readonly left: readonly string[];
}

/** Return the chart of an answer, or in words why there is none. */
export function choose(columns: readonly Facts[], rows: number, wanted?: Partial<Wanted>): Choice | string {
  const metrics = columns.filter((item) => item.role === "metric" && item.kind === "number");
  const metric = metrics.find((item) => item.name === wanted?.metric) ?? metrics[0];
  if (!metric) return "there is no column of numbers to draw";
  if (rows === 0) return "there are no rows to draw";
  const levels = columns.filter((item) => item.role === "level" && item !== metric);
  const possible = chartsOf(levels, rows);
  const [first, reason] = preferred(levels, rows);
  const chart = wanted?.chart && possible.includes(wanted.chart) ? wanted.chart : first;
  const [along, by] = axes(chart, levels);
  const used = new Set([along?.name, by?.name, ...(chart === "numbers" ? metrics.map((item) => item.name) : [metric.name])]);
  return {
    chart, along: along?.name ?? null, by: by?.name ?? null, metric: metric.name,
    percent: isShare(metric), others: possible,
    reason: chart === first ? reason : "as you chose",
    left: columns.map((item) => item.name).filter((name) => !used.has(name)),
  };
}

/** What a reader chose, as it stands in the address. */
export interface Wanted {
  readonly chart: Chart;
  readonly metric: string;
}

/** Whether a metric is a part of a whole: it is named so, or named a rate, and lies within 0 and 1. */
export function isShare(metric: Facts): boolean {
  return metric.withinOne && /(?:share|ratio|rate|margin|percent|pct)/i.test(metric.name);
}

function preferred(levels: readonly Facts[], rows: number): [Chart, string] {
  const [first, second] = inOrder(levels);
  if (!first) return ["numbers", "no level in the anchor: the numbers themselves"];
  if (rows === 1) return ["numbers", "one row: the numbers themselves"];
  if (first.kind === "moment") {
    if (!second) return ["line", `${first.name} is a calendar level: a line over time`];
    if (second.kind === "moment") return ["heat", "two calendar levels: a heat map"];
    return second.members <= MOST_LINES
      ? ["line", `${first.name} is a calendar level, and ${second.name} has at most ${MOST_LINES} members: a line each`]
      : ["multiples", `${second.name} has more than ${MOST_LINES} members: a picture each`];
  }
  if (!second) return ["bars", `one level, ${first.name}: bars, the largest first`];
  return second.members <= 4
    ? ["grouped", `two levels, and ${second.name} has at most 4 members: bars side by side`]
    : ["heat", "two levels: a heat map"];
}

function chartsOf(levels: readonly Facts[], rows: number): Chart[] {
  const [first, second] = inOrder(levels);
  const found: Chart[] = [];
  if (!first || rows === 1) found.push("numbers");
  if (first?.kind === "moment") found.push("line");
  if (first && second) found.push("multiples");
  if (first) found.push("bars");
  if (first && second) found.push("grouped", "heat");
  return found;
}

function axes(chart: Chart, levels: readonly Facts[]): [Facts?, Facts?] {
  const [first, second] = inOrder(levels);
  if (chart === "numbers") return [];
  return chart === "bars" ? [first] : [first, second];
}

/** Return the levels as charts use them: time first, then the one with the most members. */
function inOrder(levels: readonly Facts[]): Facts[] {
  return [...levels].sort((a, b) =>
    Number(b.kind === "moment") - Number(a.kind === "moment") || b.members - a.members);
}
