/**
 * Sorting and filtering of the rows that are shown, which never ask the server again.
 *
 * What comes in are columns; what goes out are the numbers of rows in their new order. It must never
 * put NULL among values: it stands last, in both directions.
 */
import type { Column } from "../values/column.ts";

export type Direction = "ascending" | "descending";

/** Return the rows whose text in any column holds the words, upper and lower case alike. */
export function matching(columns: readonly Column[], words: string): Uint32Array | null {
  const wanted = words.trim().toLocaleLowerCase();
  const length = columns[0]?.length ?? 0;
  if (wanted === "") return null;
  const kept: number[] = [];
  for (let row = 0; row < length; row += 1) {
    if (columns.some((column) => (column.text(row) ?? "").toLocaleLowerCase().includes(wanted))) kept.push(row);
  }
  return Uint32Array.from(kept);
}

/** Return rows sorted by a column; rows that are equal keep their order. */
export function sorted(column: Column, rows: Uint32Array | null, direction: Direction): Uint32Array {
  const order = rows ? rows.slice() : Uint32Array.from({ length: column.length }, (_, row) => row);
  const sign = direction === "ascending" ? 1 : -1;
  if (column.kind === "text") return order.sort(byText(column, sign));
  const keys = new Float64Array(column.length);
  for (const row of order) keys[row] = column.number(row) ?? NaN;
  const exact = column.kind === "number" ? byDigits(column, sign) : () => 0;
  return order.sort((a, b) => {
    const [left, right] = [keys[a] ?? NaN, keys[b] ?? NaN];
    if (Number.isNaN(left) || Number.isNaN(right)) return last(column, a, b, left, right);
    return left === right ? exact(a, b) || a - b : sign * (left - right);
  });
}

/** NaN stands behind numbers, and NULL behind NaN. */
function last(column: Column, a: number, b: number, left: number, right: number): number {
  const rank = (row: number, key: number) => (Number.isNaN(key) ? (column.text(row) === null ? 2 : 1) : 0);
  return rank(a, left) - rank(b, right) || a - b;
}

function byText(column: Column, sign: number): (a: number, b: number) => number {
  const collator = new Intl.Collator(undefined, { numeric: true });
  return (a, b) => {
    const [left, right] = [column.text(a), column.text(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a - b;
    return sign * collator.compare(left, right) || a - b;
  };
}

/** Compare numbers that are one double and differ in digits: large integers and long decimals. */
function byDigits(column: Column, sign: number): (a: number, b: number) => number {
  return (a, b) => {
    const [left, right] = [column.text(a) ?? "", column.text(b) ?? ""];
    if (left === right || left.includes("e") || right.includes("e")) return 0;
    const [x, y] = aligned(left, right);
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  };
}

function aligned(left: string, right: string): [bigint, bigint] {
  const scale = (text: string) => (text.split(".")[1] ?? "").length;
  const most = Math.max(scale(left), scale(right));
  const whole = (text: string) => {
    const [front = "0", back = ""] = text.split(".");
    return BigInt(`${front}${back.padEnd(most, "0")}`);
  };
  try {
    return [whole(left), whole(right)];
  } catch {
    return [0n, 0n];
  }
}
