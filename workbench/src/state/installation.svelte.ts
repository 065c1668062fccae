/**
 * The server behind the page: whether it answers, its collections, and what can be asked of them.
 *
 * What comes in are its health and its description; what goes out is state that pages show. It must
 * never throw away what it knows because the server is away for a while.
 */
import { ask, refusal, UNREACHABLE, type Refusal } from "../api/http.ts";
import type { CollectionFacts, Description, Health, LevelFacts, MetricFacts } from "../api/types.ts";
import { here } from "./place.svelte.ts";

const SECONDS = 5;
const SECONDS_AWAY = 1;

class Installation {
  health = $state<Health | null>(null);
  connection = $state<"asking" | "ok" | "away">("asking");
  description = $state.raw<Description | null>(null);
  refused = $state.raw<Refusal | null>(null);
  /** Whether the server wants to know who asks. */
  signIn = $state(false);
  #asking = false;

  get collections(): readonly string[] {
    return this.health?.collections ?? this.description?.collections.map((item) => item.name) ?? [];
  }

  /** The collection that is asked; null where there is but one, and none need be named. */
  get chosen(): string | null {
    if (this.collections.length < 2) return null;
    const named = new URLSearchParams(here.search).get("collection");
    return this.collections.find((name) => name === named) ?? this.collections[0] ?? null;
  }

  get facts(): CollectionFacts | null {
    const all = this.description?.collections ?? [];
    return all.find((item) => item.name === this.chosen) ?? all[0] ?? null;
  }

  metric(name: string): MetricFacts | undefined {
    return this.facts?.metrics.find((item) => item.name === name);
  }

  level(name: string): LevelFacts | undefined {
    return this.facts?.levels.find((item) => item.name === name);
  }

  /** Watch the server until the page is closed. */
  watch(): void {
    const turn = async (): Promise<void> => {
      await this.#look();
      const seconds = this.connection === "ok" ? SECONDS : SECONDS_AWAY;
      setTimeout(() => void turn(), seconds * 1000);
    };
    void turn();
  }

  async #look(): Promise<void> {
    if (document.hidden && this.connection === "ok") return;
    try {
      const before = this.health;
      this.health = await ask<Health>("GET", "/healthz", undefined, { signal: AbortSignal.timeout(4000) });
      const returned = this.connection === "away";
      this.connection = "ok";
      const moved = before?.reload?.at !== this.health.reload?.at;
      if (this.description === null || returned || (before !== null && moved)) void this.describe();
    } catch {
      this.connection = "away";
    }
  }

  /** Ask anew what can be asked. */
  async describe(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.description = await ask<Description>("GET", "/runtime/describe");
      this.refused = null;
      this.signIn = false;
    } catch (error) {
      const why = refusal(error);
      if (why.status === 401) this.signIn = true;
      if (why.code !== UNREACHABLE) this.refused = why;
    } finally {
      this.#asking = false;
    }
  }
}

export const installation = new Installation();
