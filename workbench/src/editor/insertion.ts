/**
 * A name put into a text by a click.
 *
 * What comes in is a text, a selection and a name; what goes out is what to write there. It must never
 * run two names together, nor write a name bare that needs its quotes.
 */
import { KEYWORDS } from "./keywords.ts";

/** Return a name as a text holds it. */
export function nameText(name: string): string {
  const bare = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.includes(name.toUpperCase());
  return bare ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Return what to write in place of a selection. */
export function insertion(text: string, from: number, to: number, name: string): string {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const written = nameText(name);
  if (text.trim() === "") return `SELECT ${written} AT ()`;
  const last = /(\S)(\s*)$/.exec(before);
  const word = /\b(?:select|at|where|having|by|and|or|not|distinct)\s*$/i.test(before);
  const needsComma = last !== null && /[\w")]/.test(last[1] ?? "") && !word;
  const front = needsComma ? (last?.[2] ? `${""}, ` : ", ") : /\w$/.test(before) ? " " : "";
  return `${front}${written}${/^[\w"]/.test(after) ? " " : ""}`;
}
