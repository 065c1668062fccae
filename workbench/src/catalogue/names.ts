/**
 * The lines of a tree of names: groups that fold, and what stands in them.
 *
 * What comes in are metrics, levels, saved frames and words to find; what goes out are the lines that are open. It
 * must never hide a name that the words find: then every group is open.
 */
import type { CollectionNames, FrameName, LevelName, MetricName } from "../api/types.ts";
import { blockedWords, byFamily } from "./order.ts";

/** The head of a group. */
export interface Group {
  readonly kind: "group";
  readonly name: string;
  readonly key: string;
  readonly count: number;
  readonly open: boolean;
}

/** A metric, a level or a saved frame. */
export interface Name {
  readonly kind: "metric" | "level" | "frame";
  readonly name: string;
  readonly key: string;
  /** A word beside it: its reducer, its type, its grain. */
  readonly word: string;
  readonly title: string;
  /** Why it is not asked freely; empty where it is. */
  readonly lock: string;
}

export type Line = Group | Name;

/** What a reader folded or unfolded, by the keys of groups. */
export type Folds = Readonly<Record<string, boolean>>;

/** Collections of so many names are unfolded at first. */
export const FEW = 100;

/** Return the lines of a collection's tree. */
export function linesOf(facts: CollectionNames, words: string, folds: Folds): Line[] {
  const sought = words.trim().toLocaleLowerCase();
  const fits = (item: { readonly name: string; readonly description: string }) =>
    sought === "" || item.name.toLocaleLowerCase().includes(sought) || item.description.toLocaleLowerCase().includes(sought);
  const few = facts.metrics.length + facts.levels.length <= FEW;
  const groups: [string, string, Name[]][] = [["metrics", "Metrics", facts.metrics.filter(fits).map(ofMetric)]];
  for (const [family, levels] of byFamily(facts.levels.filter(fits))) groups.push([`levels ${family}`, family, levels.map(ofLevel)]);
  groups.push(["frames", "Saved frames", (facts.frames ?? []).filter(fits).map(ofFrame)]);
  return groups.flatMap(([key, name, items]) => {
    if (items.length === 0) return [];
    const open = sought !== "" || (folds[key] ?? few);
    const head: Group = { kind: "group", name, key, count: items.length, open };
    return open ? [head, ...items] : [head];
  });
}

function ofMetric(metric: MetricName): Name {
  return {
    kind: "metric", name: metric.name, key: `metric ${metric.name}`,
    word: metric.formula ? "formula" : (metric.default ?? metric.reducers[0] ?? ""),
    title: [metric.name, metric.description, metric.formula && `= ${metric.formula}`, metric.type].filter(Boolean).join("\n"),
    lock: blockedWords(metric),
  };
}

/** Return the levels that a saved frame has a row for each of, in words. */
export function grainText({ grain }: FrameName): string {
  return grain.join(", ") || "one row";
}

/**
 * Return the text of SQL that selects from a saved frame: its first rows.
 *
 * A name is written bare where it can be no word of SQL: those with an underscore are of the clock and
 * of the session.
 */
export function selectFrom(name: string): string {
  const bare = /^[a-z][a-z0-9]*_[a-z0-9_]*$/.test(name) && !/^(current|session|system|local)/.test(name);
  return `SELECT * FROM ${bare ? name : `"${name.replaceAll('"', '""')}"`} LIMIT 10`;
}

function ofFrame(frame: FrameName): Name {
  const columns = frame.columns.map((column) => column.name).join(", ");
  return {
    kind: "frame", name: frame.name, key: `frame ${frame.name}`, word: grainText(frame),
    title: [frame.name, frame.description, frame.grain.length ? `one row per ${grainText(frame)}` : "one row", `columns: ${columns}`].filter(Boolean).join("\n"), lock: "",
  };
}

function ofLevel(level: LevelName): Name {
  return {
    kind: "level", name: level.name, key: `level ${level.name}`, word: level.type,
    title: [level.name, level.description].filter(Boolean).join("\n"), lock: "",
  };
}
