/**
 * What the browser keeps of the reader's own: the text being written, and those that were run.
 *
 * What comes in and goes out are texts under the page's own names, apart for each user who signed in
 * here. It must never fail where storage is forbidden or full: then it is kept until the page is
 * closed. It must never give one user the texts of another.
 */

const memory = new Map<string, string>();
const PREFIX = "flightframe.";

/** Return what is kept under a name, for all who use this browser. */
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

function forget(name: string): void {
  memory.delete(name);
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was kept there either.
  }
}

/** Of this tab alone: another one may be another user's by now, and its letters are not to go there. */
let shownTo = kept("user");

/** Return the user whose texts are shown; null where the server knows none. */
export function owner(): string | null {
  return shownTo;
}

const own = (name: string): string => {
  const user = owner();
  return user === null ? name : `${name} of ${user}`;
};

/** Return the text that the user was writing. */
export function draft(): string {
  return kept(own("text")) ?? "";
}

/** Keep the text that the user is writing. */
export function keepDraft(text: string): void {
  keep(own("text"), text);
}

/**
 * Give the texts to a user who signs in, or who signs out: null. Texts of no user become the user's;
 * those of another stay where they are. Return whether they were another's.
 */
export function handTo(user: string | null): boolean {
  const before = owner();
  if (before === user) return false;
  const [text, past] = [draft(), history()];
  shownTo = user;
  if (user === null) forget("user");
  else keep("user", user);
  if (before !== null) return true;
  for (const name of ["text", "history"]) forget(name);
  for (const item of [draft(), ...past.reverse()]) remember(item);
  if (text !== "") keepDraft(text);
  return false;
}

/** How many texts are kept, and how long they may be together. */
export const MOST_TEXTS = 50;
const MOST_CHARACTERS = 500_000;

/** Return the texts that were run or put aside, the newest first. */
export function history(): string[] {
  try {
    const texts: unknown = JSON.parse(kept(own("history")) ?? "[]");
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
  keep(own("history"), JSON.stringify(texts));
  return texts;
}
