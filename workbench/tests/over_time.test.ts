/** Counts that grow, as bars of what was answered between. */
import { describe, expect, it } from "vitest";
import { MOST_SAMPLES, barsOf, sampled, type Sample } from "../src/engine/over_time.ts";
import type { EngineEvent } from "../src/api/types.ts";

const event = (hits: number, rollups = 0, misses = 0): EngineEvent => ({
  entries: 0, bytes: 0, budget_bytes: 0, hits, misses, rollups, running: 0, waiting: 0, hot_hits: 0, at: 0,
});

describe("answers over time", () => {
  it("are the differences of counts, in the bar of their moment", () => {
    const samples = [[10, 0], [12, 1], [15, 29]].reduce<readonly Sample[]>((all, [hits = 0, at = 0]) => sampled(all, event(hits), at), []);
    const { bars, seconds } = barsOf(samples, 30, 3);
    expect(seconds).toBe(10);
    expect(bars.map((bar) => bar.hits)).toEqual([2, 0, 3]);
  });
  it("begin anew with a server that counts from nothing", () => {
    const samples = sampled(sampled([], event(10, 4, 3), 0), event(1), 5);
    expect(samples).toEqual([{ at: 5, hits: 1, rollups: 0, misses: 0 }]);
  });
  it("lose none where samples are many", () => {
    let samples: readonly Sample[] = [];
    for (let at = 0; at <= MOST_SAMPLES + 500; at += 1) samples = sampled(samples, event(at, 2 * at), at);
    expect(samples).toHaveLength(MOST_SAMPLES);
    const { bars } = barsOf(samples, MOST_SAMPLES + 500, 7);
    expect(bars.reduce((sum, bar) => sum + bar.hits, 0)).toBe(MOST_SAMPLES - 1);
    expect(bars.reduce((sum, bar) => sum + bar.rollups, 0)).toBe(2 * (MOST_SAMPLES - 1));
  });
  it("are none before the first two samples", () => {
    expect(barsOf([], 10, 4).bars).toEqual([]);
    expect(barsOf(sampled([], event(9), 3), 10, 2).bars.map((bar) => bar.hits)).toEqual([0, 0]);
  });
});
