/**
 * What chips are called: the name that the rest of a text knows one by.
 *
 * What comes in is a chip as the server prints it; what goes out is a name. It must never take a text
 * in quotes for a name.
 */
import { nameText } from "../editor/insertion.ts";

const ALIAS = / AS ([A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")+")$/;

/** Return what a chip is called: its alias, or else all of it. */
export function nameOf(chip: string): string {
  return ALIAS.exec(chip)?.[1] ?? chip;
}

/** Whether a column is of one of these levels. */
export function isOf(levels: readonly string[], column: string): boolean {
  const names = [column, nameText(column), `"${column.replaceAll('"', '""')}"`];
  return levels.some((chip) => names.includes(nameOf(chip)));
}
