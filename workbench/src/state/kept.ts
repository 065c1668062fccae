/**
 * What the browser keeps of the reader's own: the text being written, and those that were run.
 *
 * What comes in and goes out are texts under the page's own names. It must never fail where storage
 * is forbidden or full: then it is kept until the page is closed.
 */

const memory = new Map<string, string>();
const PREFIX = "flightframe.";

/** Return what is kept under a name. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

/** Keep a text under a name. */
export function keep(name: string, text: string): void {
  memory.set(name, text);
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // Storage is forbidden or full: `memory` has it.
  }
}

/** How many texts are kept, and how long they may be together. */
export const MOST_TEXTS = 50;
const MOST_CHARACTERS = 500_000;

/** Return the texts that were run or put aside, the newest first. */
export function history(): string[] {
  try {
    const texts: unknown = JSON.parse(kept("history") ?? "[]");
    return Array.isArray(texts) ? texts.filter((text) => typeof text === "string") : [];
  } catch {
    return [];
  }
}

/** Put a text in front of the history. */
export function remember(text: string): string[] {
  if (text.trim() === "") return history();
  let left = MOST_CHARACTERS;
  const texts = [text, ...history().filter((item) => item !== text)]
    .slice(0, MOST_TEXTS)
    .filter((item) => (left -= item.length) >= 0);
  keep("history", JSON.stringify(texts));
  return texts;
}
