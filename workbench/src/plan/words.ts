/**
 * What a box of a plan says.
 *
 * What comes in is a node; what goes out are its lines and its look. It must never cut a reason: the
 * whole text stands beside the drawing.
 */
import type { PlanNode } from "../api/types.ts";
import { bytesText, countOf } from "../values/amounts.ts";
import { WIDEST } from "./layout.ts";

export const KINDS: Readonly<Record<PlanNode["kind"], string>> = {
  table: "table", fetch: "query of the back-end", entry: "kept entry", rollup: "roll-up", compose: "formula",
  column: "column", rejected: "not used", island: "question", algebra: "over the answers",
};

/** Return the lines of a box. */
export function linesOf(node: PlanNode): string[] {
  const amounts = [node.rows === null ? "" : countOf(node.rows, "row"), node.bytes === null ? "" : bytesText(node.bytes)];
  const facts = amounts.filter(Boolean).join(", ");
  return [KINDS[node.kind] ?? node.kind, ...wrapped(node.label, 2), ...(facts ? [facts] : [])];
}

/** Return a text on at most so many lines, the last of them cut where there is more. */
export function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + word.length + 1 > WIDEST) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  lines.push(line);
  const kept = lines.slice(0, most).map((item) => (item.length > WIDEST ? `${item.slice(0, WIDEST - 1)}…` : item));
  const last = kept.length - 1;
  if (lines.length > most && !kept[last]?.endsWith("…")) kept[last] = `${(kept[last] ?? "").slice(0, WIDEST - 1)}…`;
  return kept;
}

/** Return the facts of a node as names and texts. */
export function factsOf(node: PlanNode): [string, string][] {
  return Object.entries(node.detail)
    .filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]);
}
