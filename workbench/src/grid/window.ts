/**
 * Which rows of a long table are drawn, and where.
 *
 * What comes in are numbers of rows and pixels; what goes out is a range of rows and its place. It
 * must never make an element taller than a browser can: past that the scroll bar is a proportion.
 */

/** The most pixels that an element may be tall; browsers lose precision a little above. */
export const TALLEST = 8_000_000;
/** Rows drawn above and below what is seen. */
const BESIDE = 6;

/** What is drawn. */
export interface Drawn {
  /** The first row drawn, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Where the first row stands, and how tall the whole is, in pixels. */
  readonly top: number;
  readonly height: number;
}

/** Return what is drawn of a table. */
export function drawn(rows: number, rowHeight: number, viewHeight: number, scrollTop: number): Drawn {
  const full = rows * rowHeight;
  const height = Math.min(full, TALLEST);
  const most = Math.max(height - viewHeight, 0);
  const scrolled = Math.min(Math.max(scrollTop, 0), most);
  const offset = offsetOf(full, height, viewHeight, scrolled);
  const seen = Math.floor(offset / rowHeight);
  const first = Math.max(seen - BESIDE, 0);
  const end = Math.min(seen + Math.ceil(viewHeight / rowHeight) + 1 + BESIDE, rows);
  return { first, end, top: scrolled - (offset - first * rowHeight), height };
}

/** Return how far to scroll so that a row is wholly seen; the present place where it is already. */
export function scrollTo(
  row: number, rows: number, rowHeight: number, viewHeight: number, scrollTop: number,
): number {
  const full = rows * rowHeight;
  const height = Math.min(full, TALLEST);
  const offset = offsetOf(full, height, viewHeight, scrollTop);
  const wanted = Math.min(Math.max(offset, (row + 1) * rowHeight - viewHeight), row * rowHeight);
  if (wanted === offset) return scrollTop;
  const mostOffset = full - viewHeight;
  const most = height - viewHeight;
  return mostOffset <= 0 ? 0 : full === height ? wanted : (wanted / mostOffset) * most;
}

function offsetOf(full: number, height: number, viewHeight: number, scrolled: number): number {
  const most = height - viewHeight;
  if (full === height || most <= 0) return scrolled;
  return (scrolled / most) * (full - viewHeight);
}
