/**
 * Which words are keywords, upper and lower case alike.
 *
 * What comes in is a word; what goes out is its term of the grammar, or -1. It must never make a soft
 * keyword hard: those are names as well, and the grammar decides.
 */
import * as terms from "./frame_ql.grammar.terms";

const HARD = [
  "select", "from", "where", "at", "having", "limit", "as", "and", "or", "not", "in", "is",
  "like", "between", "distinct", "true", "false", "null",
];
const SOFT = [
  "explain", "order", "by", "per", "offset", "nulls", "first", "last", "asc", "desc", "date", "timestamp", "filter", "case",
  "when", "then", "else", "end", "cast", "extract", "position", "interval", "known", "rollup", "cube", "grouping", "sets",
  "current_date", "realised",
];

const numbers: Readonly<Record<string, number>> = terms;
// The generator puts a line under what is a word of JavaScript's own.
const termOf = (word: string) => [word, numbers[word] ?? numbers[`_${word}`] ?? -1] as const;
const hardTerms = new Map(HARD.map(termOf));
const softTerms = new Map(SOFT.map(termOf));

/** Return the term of a hard keyword. */
export function hard(word: string): number {
  return hardTerms.get(word.toLowerCase()) ?? -1;
}

/** Return the term of a soft keyword. */
export function soft(word: string): number {
  return softTerms.get(word.toLowerCase()) ?? -1;
}

/** Every keyword, as it is written in texts. */
export const KEYWORDS: readonly string[] = [...HARD, ...SOFT].map((word) => word.toUpperCase());
