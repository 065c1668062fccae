/**
 * How questions were answered, over time: counts that grow, as what was answered between two of them.
 *
 * What comes in are the server's figures; what goes out are bars. It must never show less than was
 * answered: where many samples fall into one bar, they are added up.
 */
import type { EngineEvent } from "../api/types.ts";

/** The counts of a moment, since the server started. */
export interface Sample {
  /** Seconds of the reader's clock. */
  readonly at: number;
  readonly hits: number;
  readonly rollups: number;
  readonly misses: number;
}

export const KINDS = ["hits", "rollups", "misses"] as const;
export type Kind = (typeof KINDS)[number];
export const TITLES: Readonly<Record<Kind, string>> = { hits: "from what is kept", rollups: "rolled up", misses: "of the database" };

/** What was answered within one bar. */
export type Bar = Readonly<Record<Kind, number>> & { readonly from: number };

/** So many samples are kept: at one a second, an hour of them. */
export const MOST_SAMPLES = 3600;

/** Return the samples with a further one; counts that fell are of a server that started anew. */
export function sampled(samples: readonly Sample[], { hits, rollups, misses }: EngineEvent, at: number): readonly Sample[] {
  const next: Sample = { at, hits, rollups, misses };
  const last = samples.at(-1);
  const anew = last !== undefined && KINDS.some((kind) => next[kind] < last[kind]);
  return anew ? [next] : [...samples.slice(1 - MOST_SAMPLES), next];
}

/** Return bars of equal width from the first sample to now. */
export function barsOf(samples: readonly Sample[], now: number, count: number): { readonly bars: readonly Bar[]; readonly seconds: number } {
  const first = samples[0];
  if (!first) return { bars: [], seconds: 1 };
  const seconds = Math.max(Math.ceil((Math.max(now, samples.at(-1)?.at ?? now) - first.at) / count), 1);
  const bars = Array.from({ length: count }, (_, place) => ({ from: first.at + place * seconds, hits: 0, rollups: 0, misses: 0 }));
  samples.slice(1).forEach((sample, place) => {
    const before = samples[place] as Sample;
    const bar = bars[Math.min(Math.floor((sample.at - first.at) / seconds), count - 1)];
    if (bar) for (const kind of KINDS) bar[kind] += sample[kind] - before[kind];
  });
  return { bars, seconds };
}
