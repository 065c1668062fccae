/**
 * Queries: the answer as a table of Arrow with its provenance, the plan, the check.
 *
 * What comes in is a text; what goes out is what the server says of it. It must never read a number
 * by way of JSON.
 */
import type { Schema } from "apache-arrow";
import { isFrameQL } from "../editor/language.ts";
import type { Column } from "../values/column.ts";
import { ask, send, Refusal } from "./http.ts";
import type { Check, Completion, Explanation, Provenance, ServedFrom, Shelf } from "./types.ts";

export const ARROW = "application/vnd.apache.arrow.stream";

/** An answer, as the page holds it. */
export interface Answer {
  readonly source: string;
  readonly schema: Schema;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly provenance: Provenance | null;
  readonly servedFrom: ServedFrom | null;
  /** Milliseconds until the first byte, and until the last. */
  readonly firstByte: number;
  readonly lastByte: number;
  /** The bytes of the stream, to be saved as they came. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Of which collection something is asked, and how many seconds its answer may lag behind. */
export interface Where {
  readonly collection: string | null;
  readonly lag?: number;
}

/** Return the body that asks a text: Frame-QL, or else SQL of the catalogue. */
export function bodyOf(source: string, { collection, lag = 0 }: Where): Record<string, string | number> {
  const key = isFrameQL(source) ? "source" : "sql";
  return { [key]: source, ...(collection !== null && { collection }), ...(lag > 0 && { max_staleness: lag }) };
}

/** Ask a text; `progress` is told of the bytes as they come. */
export async function query(
  source: string, where: Where, signal: AbortSignal, progress: (bytes: number) => void,
): Promise<Answer> {
  const started = performance.now();
  // The decoder is a third of the page: it comes while the server answers, and not before.
  const decoder = import("./decode.ts");
  decoder.catch(() => undefined);
  const response = await send("POST", "/runtime/query", bodyOf(source, where), { signal, accept: ARROW });
  const firstByte = performance.now() - started;
  const bytes = await bytesOf(response, progress, signal);
  const lastByte = performance.now() - started;
  const { decoded } = await decoder.catch(() => {
    throw new Refusal("UNREACHABLE", "a part of the page did not come", "load the page again");
  });
  const answer = decoded(bytes);
  const header = response.headers.get("x-flightframe-served-from") as ServedFrom | null;
  return { source, servedFrom: answer.provenance?.served_from ?? header, firstByte, lastByte, bytes, ...answer };
}

async function bytesOf(response: Response, progress: (bytes: number) => void, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      pieces.push(next.value);
      size += next.value.length;
      progress(size);
    }
  } catch {
    if (signal.aborted) throw new Refusal("CANCELLED", "you stopped it");
    throw new Refusal("UNREACHABLE", "the answer ended in the middle", "ask again: no part of it is shown");
  }
  const bytes = new Uint8Array(size);
  let place = 0;
  for (const piece of pieces) {
    bytes.set(piece, place);
    place += piece.length;
  }
  return bytes;
}

/** Return the plan of a text, which is not carried out. */
export function explain(source: string, where: Where, signal?: AbortSignal): Promise<Explanation> {
  return ask("POST", "/runtime/explain", bodyOf(source, where), { ...(signal && { signal }) });
}

/** Return whether a text could be asked, its columns and its chips. */
export function check(source: string, collection: string | null, signal?: AbortSignal): Promise<Check> {
  return ask("POST", "/runtime/check", bodyOf(source, { collection }), { ...(signal && { signal }) });
}

/** Return the canonical text of chips. */
export async function format(shelf: Shelf): Promise<string> {
  return (await ask<{ source: string }>("POST", "/runtime/format", { shelf })).source;
}

/** Return what may stand at a place, counted in characters. */
export function complete(
  source: string, offset: number, collection: string | null, signal?: AbortSignal,
): Promise<Completion> {
  const body = { source, offset, ...(collection !== null && { collection }) };
  return ask("POST", "/runtime/complete", body, { ...(signal && { signal }) });
}
