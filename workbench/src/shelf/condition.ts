/**
 * A condition that leaves one member of a level: what a click on a cell stands for.
 *
 * What comes in is a cell; what goes out is a text of Frame-QL. It must never let a member end the
 * string that holds it.
 */
import { nameText } from "../editor/insertion.ts";
import type { Column } from "../values/column.ts";

/** Return the condition of a cell. */
export function condition(column: Column, row: number): string {
  const name = nameText(column.name);
  const text = column.text(row);
  if (text === null) return `${name} IS NULL`;
  if (column.kind === "number") return `${name} = ${text}`;
  if (column.kind === "truth") return `${name} = ${text.toUpperCase()}`;
  const quoted = `'${text.replaceAll("'", "''")}'`;
  if (column.kind !== "moment") return `${name} = ${quoted}`;
  return `${name} = ${column.type === "date" ? "DATE" : "TIMESTAMP"} ${quoted.replace(/ UTC'$/, "+00:00'")}`;
}
