/**
 * The state of the page as an address, and back.
 *
 * What comes in are a path, keys and a fragment; what goes out is a state, and the other way. It must
 * never put a text of the reader's where a server logs it: that stands in the fragment alone.
 */
import { CHARTS, type Chart } from "../chart/rule.ts";

export const TABS = ["rows", "chart", "plan", "sql", "code"] as const;
export type Tab = (typeof TABS)[number];

/** Which page, and what of it. */
export type Place =
  | { readonly page: "query" }
  | { readonly page: "catalogue"; readonly kind: "metric" | "level" | "frame" | "matrix" | null; readonly name: string }
  | { readonly page: "engine" }
  | { readonly page: "help"; readonly name: string };

/** Return the page of a path; an unknown one is the first. */
export function placeOf(path: string): Place {
  const [page = "", kind = "", ...rest] = path.split("/").slice(1).map(decoded);
  if (page === "engine") return { page };
  if (page === "help") return { page, name: kind };
  if (page !== "catalogue") return { page: "query" };
  const known = kind === "metric" || kind === "level" || kind === "frame" || kind === "matrix" ? kind : null;
  return { page, kind: known, name: rest.join("/") };
}

/** Return the path of a page. */
export function pathOf(place: Place): string {
  switch (place.page) {
    case "query":
      return "/";
    case "engine":
      return "/engine";
    case "help":
      return place.name ? `/help/${encodeURIComponent(place.name)}` : "/help";
    case "catalogue": {
      const parts = place.kind === null ? [] : [place.kind, ...(place.name ? [place.name] : [])];
      return `/${["catalogue", ...parts.map(encodeURIComponent)].join("/")}`;
    }
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What the Query page shows; it stands in the fragment. */
export interface QueryState {
  readonly text: string;
  readonly tab: Tab;
  readonly chart?: Chart;
  readonly metric?: string;
  /** How many seconds an answer may lag behind its source. */
  readonly lag?: number;
}

/** Return the state of a fragment; null where it holds no text. */
export function queryStateOf(fragment: string): QueryState | null {
  const keys = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = keys.get("q");
  if (text === null) return null;
  const tab = TABS.find((item) => item === keys.get("tab")) ?? "rows";
  const chart = CHARTS.find((item) => item === keys.get("chart"));
  const metric = keys.get("metric");
  const lag = /^\d{1,9}$/.test(keys.get("lag") ?? "") ? Number(keys.get("lag")) : 0;
  return { text, tab, ...(chart && { chart }), ...(metric && { metric }), ...(lag > 0 && { lag }) };
}

/** Return the fragment of a state. */
export function fragmentOf(state: QueryState): string {
  const keys = new URLSearchParams({ q: state.text });
  if (state.tab !== "rows") keys.set("tab", state.tab);
  if (state.chart) keys.set("chart", state.chart);
  if (state.metric) keys.set("metric", state.metric);
  if (state.lag) keys.set("lag", String(state.lag));
  return `#${keys.toString()}`;
}

/** The bounds of a recommendation. */
export interface Thresholds {
  readonly min_hits: number;
  readonly min_age_days: number;
  readonly min_hits_per_day: number;
}

export const DEFAULTS: Thresholds = { min_hits: 100, min_age_days: 7, min_hits_per_day: 0 };

/** Return the thresholds of an address; what is no number there is the default. */
export function thresholdsOf(search: string): Thresholds {
  const keys = new URLSearchParams(search);
  const number = (key: keyof Thresholds): number => {
    const text = keys.get(key);
    const value = text === null || text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) && value >= 0 ? value : DEFAULTS[key];
  };
  return {
    min_hits: number("min_hits"), min_age_days: number("min_age_days"), min_hits_per_day: number("min_hits_per_day"),
  };
}

/** Return the keys of thresholds. */
export function searchOf(thresholds: Thresholds): string {
  return `?${new URLSearchParams(Object.entries(thresholds).map(([key, value]) => [key, String(value)]))}`;
}
