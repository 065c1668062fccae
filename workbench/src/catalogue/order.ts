/**
 * What the catalogue says of metrics and levels, in the order in which it is read.
 *
 * What comes in is a description; what goes out are groups, words and the cells of the matrix. It must
 * never soften a refusal: the reason of a cell is the server's.
 */
import type { Availability, LevelName, MetricFacts, MetricName } from "../api/types.ts";

/** Return levels by their family, each in the order of the collection. */
export function byFamily(levels: readonly LevelName[]): [string, LevelName[]][] {
  const families = new Map<string, LevelName[]>();
  for (const level of levels) {
    const known = families.get(level.family);
    if (known) known.push(level);
    else families.set(level.family, [level]);
  }
  return [...families];
}

/** Return which levels a metric is blocked over, in words; empty for none. */
export function blockedWords({ required }: MetricName): string {
  return required.length > 0 ? `may be asked only with ${required.join(", ")}` : "";
}

/** How a metric stands to a level. */
export type Standing = "free" | "needs" | "blocked" | "unreachable";

export const STANDINGS: Readonly<Record<Standing, string>> = {
  free: "may be asked", needs: "may be asked beside another level", blocked: "blocked", unreachable: "not reachable",
};
/** The standings in the order in which a reader looks for them. */
export const RANK: Readonly<Record<Standing, number>> = { free: 0, needs: 1, blocked: 2, unreachable: 3 };
export const SIGNS: Readonly<Record<Standing, string>> = { free: "●", needs: "◐", blocked: "✕", unreachable: "·" };

/** A cell of the matrix. */
export interface Cell {
  readonly standing: Standing;
  readonly reason: string;
}

/** Return how a metric stands to each level, under its default reducer. */
export function cellsOf(metric: MetricFacts, reducer?: string): Map<string, Cell> {
  const anchors: Availability | undefined = metric.anchors.find((item) => item.reducer === reducer) ?? metric.anchors[0];
  const cells = new Map<string, Cell>();
  for (const level of anchors?.levels ?? []) {
    const beside = (anchors?.required ?? []).filter((item) => item !== level);
    cells.set(level, beside.length > 0
      ? { standing: "needs", reason: `beside ${beside.join(", ")}, or with it pinned in WHERE` }
      : { standing: "free", reason: "" });
  }
  for (const { level, code, reason } of anchors?.blocked ?? []) {
    cells.set(level, { standing: /UNREACH|UNKNOWN|NOT_REACH/.test(code) ? "unreachable" : "blocked", reason: `${code}: ${reason}` });
  }
  return cells;
}

/** A metric and what it is made of, level by level of the formula. */
export interface Lineage {
  readonly name: string;
  readonly text: string;
  readonly inputs: readonly Lineage[];
}

/** Return what a metric is made of. */
export function lineageOf(name: string, metrics: ReadonlyMap<string, MetricName>, above: readonly string[] = []): Lineage {
  const metric = metrics.get(name);
  const inputs = above.includes(name) ? [] : (metric?.inputs ?? []);
  const text = metric?.formula ? `= ${metric.formula}` : (metric?.reducers.join(", ") ?? "");
  return { name, text, inputs: inputs.map((input) => lineageOf(input, metrics, [...above, name])) };
}

/** Return the metrics that a formula makes of this one. */
export function usedIn(name: string, metrics: Iterable<MetricName>): MetricName[] {
  return [...metrics].filter((metric) => metric.inputs?.includes(name));
}

/** Return a query to begin with. */
export function sampleOf(metric: MetricFacts, write: (name: string) => string): string {
  const anchors = metric.anchors[0];
  const first = anchors?.levels.find((level) => !anchors.required.includes(level));
  const levels = [...(anchors?.required ?? []), ...(anchors && anchors.required.length === 0 && first ? [first] : [])].map(write);
  return `SELECT ${[...levels, write(metric.name)].join(", ")} AT ${levels.length === 1 ? levels[0] : `(${levels.join(", ")})`}`;
}
