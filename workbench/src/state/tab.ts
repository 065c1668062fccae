/**
 * What one tab keeps until it is closed: the text that it shows, and what a user left behind in it.
 *
 * What comes in and goes out are texts, apart for each user. An address is written a moment after the
 * text, and a reload goes to the one that was written: the text of that moment is here. It must never
 * fail where storage is forbidden, nor give one user the texts of another.
 */
import { owner } from "./kept.ts";

const own = (name: string): string => `flightframe.${name} of ${JSON.stringify(owner())}`;

function write(name: string, value: unknown): void {
  try {
    sessionStorage.setItem(own(name), JSON.stringify(value));
  } catch {
    // Storage is forbidden or full: `kept` has the text, and the history shows it.
  }
}

function read(name: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(own(name)) ?? "null") as unknown;
  } catch {
    return null;
  }
}

/** Keep the text that is shown, and the fragment of the address as it is meanwhile. */
export function keepShown(fragment: string, text: string): void {
  write("shown", [fragment, text]);
}

/** Return the text that was shown last, where that was under this fragment; null where it was not. */
export function shownUnder(fragment: string): string | null {
  const kept = read("shown");
  if (!Array.isArray(kept) || kept[0] !== fragment || typeof kept[1] !== "string") return null;
  return kept[1];
}

/** Where a user was in this tab: a path with its keys, and the fragment that holds the question. */
export type Left = readonly [path: string, fragment: string];

/** Keep where the user was, who signs out or whose session has ended. */
export function keepLeft(left: Left): void {
  write("left", left);
}

/** Return where the user was who is back, once; null where that is not known. */
export function takeLeft(): Left | null {
  const left = read("left");
  write("left", null);
  const [path, fragment]: readonly unknown[] = Array.isArray(left) ? left : [];
  return typeof path === "string" && typeof fragment === "string" ? [path, fragment] : null;
}

const ENDED = "flightframe.ended";

/** Keep whether the page was taken from its user by the end of a session. */
export function keepEnded(ended: boolean): void {
  try {
    if (ended) sessionStorage.setItem(ENDED, "true");
    else sessionStorage.removeItem(ENDED);
  } catch {
    // Then the page does not say why it asks who asks.
  }
}

/** Whether a session has ended here, and no user signed in since. */
export function hasEnded(): boolean {
  try {
    return sessionStorage.getItem(ENDED) !== null;
  } catch {
    return false;
  }
}
