/**
 * What the chart rule wants to know of an answer, and the points of a chart.
 *
 * What comes in is an answer; what goes out are facts about its columns, and points. It must never
 * leave rows out: an answer of more points than can be drawn is not drawn.
 */
import type { Answer } from "../api/query.ts";
import type { Column } from "../values/column.ts";
import type { Choice, Facts } from "./rule.ts";

/** The most rows that are drawn. */
export const MOST_POINTS = 20_000;
const MOST_COUNTED = 2000;

/** Return the facts of each column; provenance says which are levels: those have no parts. */
export function factsOf(answer: Answer): Facts[] {
  const parts = new Map(answer.provenance?.columns.map((column) => [column.column, column.parts.length]));
  return answer.columns.map((column) => {
    const known = parts.get(column.name);
    const role = known === undefined ? (column.kind === "number" ? "metric" : "level") : known === 0 ? "level" : "metric";
    return { name: column.name, kind: column.kind, role, members: membersOf(column), withinOne: role === "metric" && withinOne(column) };
  });
}

function membersOf(column: Column): number {
  const seen = new Set<string | null>();
  for (let row = 0; row < Math.min(column.length, MOST_POINTS) && seen.size < MOST_COUNTED; row += 1) seen.add(column.text(row));
  return seen.size;
}

function withinOne(column: Column): boolean {
  if (column.kind !== "number") return false;
  for (let row = 0; row < Math.min(column.length, MOST_POINTS); row += 1) {
    const value = column.number(row);
    if (value !== null && !(value >= 0 && value <= 1)) return false;
  }
  return column.length > 0;
}

/** A point of a chart. */
export interface Point {
  readonly along: Date | string;
  readonly by: string;
  readonly value: number | null;
  /** What a reader is told of it, digit by digit. */
  readonly title: string;
}

/** Return the points of a chart, in the order of the rows. */
export function pointsOf(answer: Answer, choice: Choice): Point[] {
  const named = (name: string | null) => answer.columns.find((column) => column.name === name);
  const [along, by, metric] = [named(choice.along), named(choice.by), named(choice.metric)];
  return Array.from({ length: answer.rows }, (_, row) => {
    const value = metric?.number(row) ?? null;
    const title = [along, by, metric].filter((column) => column !== undefined)
      .map((column) => `${column.name}: ${column.text(row) ?? "∅"}`).join("\n");
    return { along: placeOf(along, row), by: by?.text(row) ?? (by ? "∅" : ""), value: value !== null && Number.isFinite(value) ? value : null, title };
  });
}

function placeOf(column: Column | undefined, row: number): Date | string {
  const text = column?.text(row) ?? "∅";
  if (column?.kind !== "moment") return text;
  const number = column.number(row);
  return number === null ? new Date(NaN) : new Date(number);
}
