/**
 * Rows as files and as text to paste.
 *
 * What comes in are columns and the rows that are shown; what goes out is text with all digits. It
 * must never write a cell that a spreadsheet takes for a formula.
 */
import type { Column } from "../values/column.ts";

const FORMULA = /^[=+@\t\r]|^-(?![\d.])/;

/** Yield pieces of a CSV file, a few thousand rows each. */
export function* csv(columns: readonly Column[], rows: Uint32Array | null): Generator<string> {
  const count = rows?.length ?? columns[0]?.length ?? 0;
  let piece = `${columns.map((column) => quoted(column.name)).join(",")}\r\n`;
  for (let place = 0; place < count; place += 1) {
    const row = rows ? (rows[place] ?? 0) : place;
    piece += `${columns.map((column) => cell(column, row)).join(",")}\r\n`;
    if (place % 4096 === 4095) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

function cell(column: Column, row: number): string {
  const text = column.text(row);
  if (text === null) return "";
  if (column.kind === "number") return text;
  return text === "" ? '""' : quoted(text);
}

function quoted(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Offer a file to the reader. */
export function save(name: string, pieces: BlobPart[], type: string): void {
  const address = URL.createObjectURL(new Blob(pieces, { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
