/**
 * The engine as its page shows it: what is kept, what runs, what happened.
 *
 * What comes in are the server's events and its lists; what goes out is state. It must never ask more
 * often than something changes: an event says when.
 */
import { lastQueries, manifest, recommendations, statements } from "../api/engine.ts";
import { refusal, type Refusal } from "../api/http.ts";
import type { EngineEvent, Manifest, Recommendations, Statements } from "../api/types.ts";
import type { Thresholds } from "./address.ts";
import { installation } from "./installation.svelte.ts";

const SECONDS = 2;

export class Engine {
  manifest = $state.raw<Manifest | null>(null);
  recommendations = $state.raw<Recommendations | null>(null);
  statements = $state.raw<Statements | null>(null);
  queries = $state.raw<readonly Readonly<Record<string, unknown>>[]>([]);
  event = $state.raw<EngineEvent | null>(null);
  refused = $state.raw<Refusal | null>(null);
  recommendationsRefused = $state.raw<Refusal | null>(null);
  busy = $state(false);

  /** Follow the engine; return what stops that. */
  follow(): () => void {
    void this.read();
    const events = new EventSource("/runtime/events");
    events.addEventListener("engine", (message) => {
      const before = this.event;
      this.event = JSON.parse(message.data as string) as EngineEvent;
      if (before) void this.read();
    });
    // What runs ages without an event, and a server may have no room for another stream of them.
    const timer = setInterval(() => {
      if (!document.hidden) void this.#running();
    }, SECONDS * 1000);
    return () => {
      events.close();
      clearInterval(timer);
    };
  }

  async read(): Promise<void> {
    try {
      const [kept, queries] = await Promise.all([manifest(installation.chosen), lastQueries(), this.#running()]);
      this.manifest = kept;
      this.queries = queries;
      this.refused = null;
    } catch (error) {
      this.refused = refusal(error);
    }
  }

  async #running(): Promise<void> {
    this.statements = await statements().catch(() => this.statements);
  }

  async recommend(thresholds: Thresholds): Promise<void> {
    this.busy = true;
    try {
      this.recommendations = await recommendations(installation.chosen, thresholds);
      this.recommendationsRefused = null;
    } catch (error) {
      this.recommendationsRefused = refusal(error);
    } finally {
      this.busy = false;
    }
  }

  /** Do something to the engine, then look again; the refusal where there is one. */
  async act(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      await this.read();
    } catch (error) {
      this.refused = refusal(error);
    }
  }
}
