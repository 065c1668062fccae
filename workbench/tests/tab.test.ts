/** What a tab keeps of the text that it shows. */
import { beforeEach, expect, it, vi } from "vitest";

const storage = () => {
  const stored = new Map<string, string>();
  return {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, text: string) => void stored.set(name, text),
    removeItem: (name: string) => void stored.delete(name),
  };
};

beforeEach(() => {
  vi.stubGlobal("localStorage", storage());
  vi.stubGlobal("sessionStorage", storage());
  vi.resetModules();
});

it("is had under the address that it stood under, and by its user alone", async () => {
  const [tab, kept] = [await import("../src/state/tab.ts"), await import("../src/state/kept.ts")];
  kept.handTo("alice");
  tab.keepShown("#q=a", "SELECT b");
  expect(tab.shownUnder("#q=a")).toBe("SELECT b");
  expect(tab.shownUnder("#q=c")).toBeNull();
  kept.handTo("bob");
  expect(tab.shownUnder("#q=a")).toBeNull();
});

it("is nothing where storage is forbidden", async () => {
  vi.stubGlobal("sessionStorage", undefined);
  const tab = await import("../src/state/tab.ts");
  tab.keepShown("#q=a", "SELECT b");
  expect(tab.shownUnder("#q=a")).toBeNull();
});

it("brings back a user, once, to where that user was", async () => {
  const [tab, kept] = [await import("../src/state/tab.ts"), await import("../src/state/kept.ts")];
  kept.handTo("alice");
  tab.keepLeft(["/engine?min_hits=0", "#q=SELECT+a"]);
  kept.handTo(null);
  expect(tab.takeLeft()).toBeNull();
  kept.handTo("bob");
  expect(tab.takeLeft()).toBeNull();
  kept.handTo("alice");
  expect(tab.takeLeft()).toEqual(["/engine?min_hits=0", "#q=SELECT+a"]);
  expect(tab.takeLeft()).toBeNull();
});
