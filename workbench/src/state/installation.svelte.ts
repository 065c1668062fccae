/**
 * The server behind the page: whether it answers, its collections, and what can be asked of them.
 *
 * What comes in are its health and its description; what goes out is state that pages show. It must
 * never throw away what it knows because the server is away for a while.
 */
import { described, names, type Wanted } from "../api/describe.ts";
import { ask, refusal, unauthenticated, UNREACHABLE, type Refusal } from "../api/http.ts";
import type { CollectionNames, Health, LevelName, MetricFacts, MetricName, Names } from "../api/types.ts";
import { owner } from "./kept.ts";
import { here } from "./place.svelte.ts";
import { keepEnded } from "./tab.ts";

const SECONDS = 5;
const SECONDS_AWAY = 1;

class Installation {
  health = $state<Health | null>(null);
  connection = $state<"asking" | "ok" | "away">("asking");
  description = $state.raw<Names | null>(null);
  refused = $state.raw<Refusal | null>(null);
  /** Whether the server wants to know who asks. */
  signIn = $state(false);
  /** Takes the page over for another user, or for none; see `Question`. */
  belongTo: (user: string | null) => void = () => undefined;
  #asking = false;
  #looks = 0;
  #lastLook = 0;

  /** The user whom the server knows the reader as; null where it asks for none. */
  get user(): string | null {
    return this.health?.user ?? null;
  }

  /** Whether it is known whose page this is, as far as the server can be asked. */
  get settled(): boolean {
    return this.connection !== "asking" || owner() === null;
  }

  get collections(): readonly string[] {
    return this.health?.collections ?? this.description?.collections.map((item) => item.name) ?? [];
  }

  /** The collection that is asked; null where there is but one, and none need be named. */
  get chosen(): string | null {
    if (this.collections.length < 2) return null;
    const named = new URLSearchParams(here.search).get("collection");
    return this.collections.find((name) => name === named) ?? this.collections[0] ?? null;
  }

  get facts(): CollectionNames | null {
    const all = this.description?.collections ?? [];
    return all.find((item) => item.name === this.chosen) ?? all[0] ?? null;
  }

  metric(name: string): MetricName | undefined {
    return this.facts?.metrics.find((item) => item.name === name);
  }

  level(name: string): LevelName | undefined {
    return this.facts?.levels.find((item) => item.name === name);
  }

  /** Ask where metrics of the chosen collection may be asked; see `described`. */
  async metricsIn(wanted: Wanted): Promise<readonly MetricFacts[]> {
    const found = await described(this.chosen, wanted);
    return found.collections[0]?.metrics ?? [];
  }

  /** Watch the server until the page is closed. */
  watch(): void {
    unauthenticated.addEventListener("refused", () => {
      this.signIn = true;
      void this.#look();
    });
    // Who comes back to the tab, or signed in or out in another, is not to find the one before here.
    document.addEventListener("visibilitychange", () => void this.#look());
    addEventListener("storage", (event) => {
      if (event.key === null || event.key.endsWith(".user")) void this.#look();
    });
    const turn = async (): Promise<void> => {
      await this.#look();
      const seconds = this.connection === "ok" ? SECONDS : SECONDS_AWAY;
      setTimeout(() => void turn(), seconds * 1000);
    };
    void turn();
  }

  async #look(): Promise<void> {
    if (document.hidden && this.connection === "ok") return;
    const look = ++this.#looks;
    try {
      const before = this.health;
      const health = await ask<Health>("GET", "/healthz", undefined, { signal: AbortSignal.timeout(4000) });
      // Of two that were under way together, the one that was begun later knows better.
      if (look < this.#lastLook) return;
      this.#lastLook = look;
      this.health = health;
      const returned = this.connection === "away";
      this.connection = "ok";
      // Who is not let in is told nothing, not even as whom: a page that was a user's is so no more.
      if (this.health.collections) this.belongTo(this.user);
      else if (owner() !== null) {
        keepEnded(true);
        this.belongTo(null);
      }
      // Signed in from another tab, or let in again.
      const entered = this.signIn && this.health.collections !== undefined;
      if (entered) this.#entered();
      const moved = before?.reload?.at !== this.health.reload?.at;
      if (returned || entered || (this.description === null && !this.signIn) || (before !== null && moved)) void this.describe();
    } catch {
      this.connection = "away";
    }
  }

  /** Be the page of the user who has just signed in. */
  async entered(): Promise<void> {
    this.#entered();
    await this.#look();
    await this.describe();
  }

  #entered(): void {
    this.signIn = false;
    keepEnded(false);
  }

  /** Ask anew what can be asked. */
  async describe(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.description = await names();
      this.refused = null;
      this.signIn = false;
    } catch (error) {
      const why = refusal(error);
      if (why.code !== UNREACHABLE) this.refused = why;
    } finally {
      this.#asking = false;
    }
  }
}

export const installation = new Installation();
