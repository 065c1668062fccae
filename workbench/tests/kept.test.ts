/** Texts that the browser keeps, apart for each user. */
import { beforeEach, describe, expect, it, vi } from "vitest";

const stored = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => stored.get(name) ?? null,
  setItem: (name: string, text: string) => void stored.set(name, text),
  removeItem: (name: string) => void stored.delete(name),
});
type Kept = typeof import("../src/state/kept.ts");
let page: Kept;

describe("texts that are kept", () => {
  beforeEach(async () => {
    stored.clear();
    vi.resetModules();
    page = await import("../src/state/kept.ts");
  });

  it("become those of the user who signs in", () => {
    page.keepDraft("SELECT a");
    page.remember("SELECT b");
    expect(page.handTo("alice")).toBe(false);
    expect([page.owner(), page.draft(), page.history()]).toEqual(["alice", "SELECT a", ["SELECT b"]]);
  });
  it("are not shown to the next, and are there when the first comes back", () => {
    page.handTo("alice");
    page.keepDraft("SELECT secret");
    page.remember("SELECT secret");
    expect(page.handTo(null)).toBe(true);
    expect([page.draft(), page.history()]).toEqual(["", []]);
    page.keepDraft("SELECT b");
    page.handTo("bob");
    expect([page.draft(), page.history()]).toEqual(["SELECT b", []]);
    page.handTo("alice");
    expect([page.draft(), page.history()]).toEqual(["SELECT secret", ["SELECT secret"]]);
  });
  it("put what the user was writing elsewhere into the history", () => {
    page.handTo("alice");
    page.keepDraft("SELECT before");
    page.handTo(null);
    page.keepDraft("SELECT after");
    page.handTo("alice");
    expect([page.draft(), page.history()]).toEqual(["SELECT after", ["SELECT before"]]);
  });
  it("stay the user's own in a tab that does not know yet that another signed in elsewhere", async () => {
    page.handTo("alice");
    vi.resetModules();
    const other = await import("../src/state/kept.ts");
    other.handTo(null);
    page.keepDraft("SELECT secret");
    expect(other.draft()).toBe("");
    other.handTo("bob");
    expect([other.draft(), page.owner()]).toEqual(["", "alice"]);
  });
});
