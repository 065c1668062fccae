/**
 * The engine behind a collection: what it keeps, what it would keep, and what runs.
 *
 * What comes in is a collection; what goes out is what the server says of it. It must never show
 * another user's texts: the server sends none, and nothing is kept here between users.
 */
import { ask, Refusal } from "./http.ts";
import type { Manifest, Promoted, Promotion, Recommendations, Statements } from "./types.ts";
import type { Thresholds } from "../state/address.ts";
import { searchOf } from "../state/address.ts";

const sessions = new Map<string, Promise<string>>();

async function opened(collection: string | null): Promise<string> {
  const body = collection === null ? {} : { collection };
  return (await ask<{ id: string }>("POST", "/sessions", body)).id;
}

/** Do something in a session of a collection; one that the server no longer knows is opened anew. */
async function within<Answer>(collection: string | null, work: (base: string) => Promise<Answer>): Promise<Answer> {
  const key = collection ?? "";
  const session = () => {
    const known = sessions.get(key) ?? opened(collection);
    sessions.set(key, known);
    known.catch(() => sessions.delete(key));
    return known;
  };
  const used = session();
  try {
    return await work(`/sessions/${encodeURIComponent(await used)}/engine`);
  } catch (error) {
    const gone = error instanceof Refusal && error.status === 404;
    if (!gone) throw error;
    if (sessions.get(key) === used) sessions.delete(key);
    return work(`/sessions/${encodeURIComponent(await session())}/engine`);
  }
}

export function manifest(collection: string | null): Promise<Manifest> {
  return within(collection, (base) => ask("GET", `${base}/manifest`));
}

export function recommendations(collection: string | null, thresholds: Thresholds): Promise<Recommendations> {
  return within(collection, (base) => ask("GET", `${base}/recommendations${searchOf(thresholds)}`));
}

/** Return the change that promotions make to the file; with its hash they are made. */
export function promote(collection: string | null, promotions: readonly Promotion[], hash?: string): Promise<Promoted> {
  return within(collection, (base) => ask("POST", `${base}/promote`, { promotions, ...(hash !== undefined && { hash }) }));
}

export function refresh(collection: string | null, entries: readonly string[]): Promise<unknown> {
  return within(collection, (base) => ask("POST", `${base}/refresh`, { entry_ids: entries }));
}

export function evict(collection: string | null, entry: string): Promise<unknown> {
  return within(collection, (base) => ask("DELETE", `${base}/entries/${encodeURIComponent(entry)}`));
}

export function statements(): Promise<Statements> {
  return ask("GET", "/runtime/statements");
}

export function cancel(id: string): Promise<unknown> {
  return ask("DELETE", `/runtime/statements/${encodeURIComponent(id)}`);
}

/** Return the caller's own last queries, the newest first. */
export async function lastQueries(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const body = await ask<{ queries?: readonly Record<string, unknown>[] }>("GET", "/runtime/queries");
  return body.queries ?? [];
}
