/**
 * The cells of the matrix, asked for as they come into view and kept while the collection is the same.
 *
 * What comes in are the metrics and levels in view; what goes out are cells. It must never ask for a
 * cell that it has, nor for more than is in view.
 */
import { SvelteMap } from "svelte/reactivity";
import { refusal, type Refusal } from "../api/http.ts";
import type { MetricFacts } from "../api/types.ts";
import type { Wanted } from "../api/describe.ts";
import { cellsOf, type Cell } from "./order.ts";

/** While a reader scrolls on, nothing is asked. */
const PAUSE_MS = 80;
const NONE: Cell = { standing: "unreachable", reason: "" };

export class Cells {
  refused = $state.raw<Refusal | null>(null);
  #known = new SvelteMap<string, ReadonlyMap<string, Cell>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ask: (wanted: Wanted) => Promise<readonly MetricFacts[]>;

  constructor(ask: (wanted: Wanted) => Promise<readonly MetricFacts[]>) {
    this.#ask = ask;
  }

  /** Return the cells of a metric by their levels; undefined until some have come. */
  of(metric: string): ReadonlyMap<string, Cell> | undefined {
    return this.#known.get(metric);
  }

  /** Ask for what is in view and not known. */
  want(metrics: readonly string[], levels: readonly string[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetch(metrics, levels), PAUSE_MS);
  }

  async #fetch(metrics: readonly string[], levels: readonly string[]): Promise<void> {
    const names = metrics.filter((metric) => levels.some((level) => !this.#known.get(metric)?.has(level)));
    if (names.length === 0 || levels.length === 0) return;
    try {
      for (const metric of await this.#ask({ names, at: levels })) {
        const cells = cellsOf(metric);
        const told = levels.map((level): [string, Cell] => [level, cells.get(level) ?? NONE]);
        this.#known.set(metric.name, new Map([...(this.#known.get(metric.name) ?? []), ...told]));
      }
      this.refused = null;
    } catch (error) {
      this.refused = refusal(error);
    }
  }
}
