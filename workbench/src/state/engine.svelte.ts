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
import { sampled, type Sample } from "../engine/over_time.ts";
import { installation } from "./installation.svelte.ts";

const SECONDS = 2;

/** The samples of collections whose engine was looked at before, in this tab. */
const earlier = new Map<string | null, readonly Sample[]>();

export class Engine {
  manifest = $state.raw<Manifest | null>(null);
  recommendations = $state.raw<Recommendations | null>(null);
  statements = $state.raw<Statements | null>(null);
  queries = $state.raw<readonly Readonly<Record<string, unknown>>[]>([]);
  event = $state.raw<EngineEvent | null>(null);
  /** How questions were answered, as it was told so far. */
  samples = $state.raw<readonly Sample[]>(earlier.get(installation.chosen) ?? []);
  refused = $state.raw<Refusal | null>(null);
  recommendationsRefused = $state.raw<Refusal | null>(null);
  busy = $state(false);

  /** Follow the engine; return what stops that. */
  follow(): () => void {
    let events: EventSource | null = null;
    let left = false;
    // A stream of events cannot say that the page itself asks who asks: it is opened once that is known.
    void this.read().then(() => {
      if (!left && this.refused?.status !== 401) events = this.#listen();
    });
    // What runs ages without an event, and a server may have no room for another stream of them.
    const timer = setInterval(() => {
      if (!document.hidden && !installation.signIn) void this.#running();
    }, SECONDS * 1000);
    return () => {
      left = true;
      events?.close();
      clearInterval(timer);
    };
  }

  #listen(): EventSource {
    const { chosen } = installation;
    const events = new EventSource(`/runtime/events${chosen === null ? "" : `?${new URLSearchParams({ collection: chosen })}`}`);
    events.addEventListener("engine", (message) => {
      const before = this.event;
      this.event = JSON.parse(message.data as string) as EngineEvent;
      this.samples = sampled(this.samples, this.event, Date.now() / 1000);
      earlier.set(chosen, this.samples);
      if (before) void this.read();
    });
    return events;
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
