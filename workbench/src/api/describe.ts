/**
 * What can be asked: the names of it all, and the rest of what is looked at.
 *
 * What comes in are names; what goes out is what the server tells of them. It must never ask for where
 * each metric may be asked at each level at once: of a large collection that is tens of megabytes.
 */
import { ask } from "./http.ts";
import type { Description, Names } from "./types.ts";

/** Which metrics, and at which levels; all where none are named. */
export interface Wanted {
  readonly names?: readonly string[];
  readonly at?: readonly string[];
}

/** Return the names of everything. */
export function names(): Promise<Names> {
  return ask("GET", "/runtime/describe?detail=names");
}

/** Return where metrics may be asked. */
export function described(collection: string | null, wanted: Wanted): Promise<Description> {
  return ask("POST", "/runtime/describe", { ...(collection !== null && { collection }), ...wanted });
}

/** Return a level with its first members, which the data are asked for. */
export async function members(collection: string | null, name: string, most: number) {
  const keys = new URLSearchParams({ name, members: String(most), ...(collection !== null && { collection }) });
  const found = await ask<Description>("GET", `/runtime/describe?${keys}`);
  return found.collections[0]?.levels.find((item) => item.name === name);
}
