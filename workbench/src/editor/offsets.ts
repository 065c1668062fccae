/**
 * Places in a text: the server counts characters, the browser counts halves of some of them.
 *
 * What comes in is a text and a place in one count; what goes out is the place in the other. It must
 * never point into the middle of a character.
 */

/** Return how many characters stand before a place of the browser's. */
export function toCharacters(text: string, place: number): number {
  let count = 0;
  for (const _ of text.slice(0, place)) count += 1;
  return count;
}

/** Return the browser's place behind so many characters. */
export function toPlace(text: string, characters: number): number {
  let place = 0;
  let count = 0;
  for (const character of text) {
    if (count >= characters) break;
    place += character.length;
    count += 1;
  }
  return place;
}

/** Return the browser's place of a line and a column, both counted from 1. */
export function placeAt(text: string, line: number, column: number): number {
  let start = 0;
  for (let number = 1; number < line; number += 1) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  const row = text.slice(start, end < 0 ? text.length : end);
  return start + toPlace(row, Math.max(column - 1, 0));
}
