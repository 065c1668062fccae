/**
 * The lines of a tree of names: groups that fold, and what stands in them.
 *
 * What comes in are metrics, levels and words to find; what goes out are the lines that are open. It
 * must never hide a name that the words find: then every group is open.
 */
import type { CollectionNames, LevelName, MetricName } from "../api/types.ts";
import { blockedWords, byFamily } from "./order.ts";

/** The head of a group. */
export interface Group {
  readonly kind: "group";
  readonly name: string;
  readonly key: string;
  readonly count: number;
  readonly open: boolean;
}

/** A metric or a level. */
export interface Name {
  readonly kind: "metric" | "level";
  readonly name: string;
  readonly key: string;
  /** A word beside it: its reducer, its type. */
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

function ofLevel(level: LevelName): Name {
  return {
    kind: "level", name: level.name, key: `level ${level.name}`, word: level.type,
    title: [level.name, level.description].filter(Boolean).join("\n"), lock: "",
  };
}
