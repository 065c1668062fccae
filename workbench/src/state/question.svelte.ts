/**
 * The question on the page: its text, its answer, its plan.
 *
 * What comes in is what the reader writes and runs; what goes out is state that the Query page shows.
 * It must never lose a text: each change is kept at once, and one that an address brings in its place
 * goes to the history.
 */
import { check, explain, format, query, type Answer } from "../api/query.ts";
import { refusal, type Refusal } from "../api/http.ts";
import type { Check, Explanation, Shelf } from "../api/types.ts";
import type { Chart } from "../chart/rule.ts";
import { fragmentOf, placeOf, queryStateOf, type QueryState, type Tab } from "./address.ts";
import { installation } from "./installation.svelte.ts";
import { draft as keptDraft, handTo, history as pastTexts, keepDraft, owner, remember } from "./kept.ts";
import { followed, here } from "./place.svelte.ts";
import { keepLeft, keepShown, shownUnder, takeLeft, type Left } from "./tab.ts";

const ADDRESS_MS = 250;

class Question {
  text = $state("");
  tab = $state<Tab>("rows");
  chart = $state<Chart | undefined>(undefined);
  metric = $state<string | undefined>(undefined);
  /** How many seconds an answer may lag behind its source; 0 for none. */
  lag = $state(0);
  past = $state.raw<string[]>(pastTexts());

  answer = $state.raw<Answer | null>(null);
  /** The plan of the answer, asked for right before it ran, so that its reasons are those of the run. */
  plan = $state.raw<Explanation | null>(null);
  /** Why the answer at hand has no plan to show: the catalogue answers some SQL. */
  unplanned = $state.raw<Refusal | null>(null);
  refused = $state.raw<Refusal | null>(null);
  checked = $state.raw<{ readonly text: string; readonly result: Check } | null>(null);
  running = $state(false);
  received = $state(0);
  startedAt = $state(0);

  #abort: AbortController | null = null;
  #writing: ReturnType<typeof setTimeout> | undefined;
  /** Whether the page is another user's by now, and is being loaded anew. */
  #left = false;

  constructor() {
    const [loaded] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    this.#open(loaded?.type === "reload" || loaded?.type === "back_forward");
    addEventListener("popstate", () => this.#open(true));
    addEventListener("hashchange", () => this.#open());
    followed.addEventListener("link", () => this.#open());
    addEventListener("pagehide", () => this.#write());
    installation.belongTo = (user) => this.#belongTo(user);
  }

  /**
   * Take the state of the address; a text that was being written goes to the history.
   *
   * Who comes `back` to an address finds the text that was shown under it last, which the address may
   * not hold yet; a link shows its own.
   */
  #open(back = false): void {
    here.read();
    const shown = back ? shownUnder(location.hash) : null;
    const state = here.place.page === "query" ? queryStateOf(location.hash) : null;
    if (state === null) {
      if (this.text === "") this.text = shown ?? keptDraft();
      return;
    }
    this.#take(shown === null ? state : { ...state, text: shown });
    if (this.text !== state.text) this.#write();
  }

  #take(state: QueryState): void {
    const draft = keptDraft();
    if (draft !== state.text) this.past = remember(draft);
    this.text = state.text;
    this.tab = state.tab;
    this.chart = state.chart;
    this.metric = state.metric;
    this.lag = state.lag ?? 0;
    keepDraft(state.text);
  }

  /**
   * Be the page of another user, or of none: what it holds of the one before is gone with it, and what
   * was being written is there when that one is back.
   */
  #belongTo(user: string | null): void {
    const before = owner();
    if (this.#left || user === before) return;
    if (before !== null) keepLeft([location.pathname + location.search, this.fragment]);
    if (handTo(user)) {
      this.stop();
      clearTimeout(this.#writing);
      this.#left = true;
      const left = user === null ? null : takeLeft();
      history.replaceState(null, "", left === null ? "/" : addressOf(left));
      location.reload();
      return;
    }
    this.past = pastTexts();
    const left = takeLeft();
    if (left !== null) this.#return(...left);
    else if (this.text === "") this.text = keptDraft();
  }

  /** Go back to where the user was; a text that was written here meanwhile stays in its place. */
  #return(path: string, fragment: string): void {
    const state = queryStateOf(fragment);
    if (state !== null && this.text !== "") this.past = remember(state.text);
    if (state === null || this.text !== "") return;
    this.#take(state);
    if (here.place.page === "query") here.go(addressOf([path, fragment]), { replace: true });
  }

  /** Take a text: typed, inserted, or of the history. */
  write(text: string): void {
    if (text === this.text || this.#left) return;
    this.text = text;
    keepDraft(text);
    keepShown(location.hash, text);
    this.#writeSoon();
  }

  /** Take a text in place of another, which the history keeps. */
  replace(text: string): void {
    if (text !== this.text) this.past = remember(this.text);
    this.write(text);
  }

  show(tab: Tab): void {
    this.tab = tab;
    this.#write();
  }

  draw(chart: Chart | undefined, metric: string | undefined): void {
    this.chart = chart;
    this.metric = metric;
    this.#write();
  }

  /** Let answers lag behind their source from now on. */
  allow(lag: number): void {
    this.lag = lag;
    this.#write();
  }

  #writeSoon(): void {
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => this.#write(), ADDRESS_MS);
  }

  #write(): void {
    clearTimeout(this.#writing);
    if (here.place.page !== "query" || this.#left) return;
    history.replaceState(null, "", `/${location.search}${this.fragment}`);
  }

  /** The address of the state, to be shared: a server never sees this part of it. */
  get fragment(): string {
    const { text, tab, chart, metric, lag } = this;
    return fragmentOf({ text, tab, ...(chart && { chart }), ...(metric && { metric }), ...(lag && { lag }) });
  }

  async run(text = this.text): Promise<void> {
    if (text.trim() === "") return;
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.past = remember(text);
    Object.assign(this, { running: true, refused: null, received: 0, startedAt: performance.now() });
    const where = { collection: installation.chosen, lag: this.lag };
    try {
      let unplanned: Refusal | null = null;
      const plan = await explain(text, where, abort.signal).catch((error: unknown) => {
        unplanned = refusal(error);
        return null;
      });
      const answer = await query(text, where, abort.signal, (bytes) => { this.received = bytes; });
      if (this.#abort !== abort) return;
      this.plan = plan;
      this.unplanned = unplanned;
      this.answer = answer;
    } catch (error) {
      if (this.#abort === abort) this.refused = refusal(error);
    } finally {
      if (this.#abort === abort) this.running = false;
    }
  }

  /** Stop the question under way; the server ends its statement. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.running = false;
  }

  /** Ask the plan of the text, and show it. */
  async explain(): Promise<void> {
    this.show("plan");
    try {
      this.plan = await explain(this.text, { collection: installation.chosen, lag: this.lag });
      this.refused = null;
    } catch (error) {
      this.refused = refusal(error);
    }
  }

  /** Check a text, and keep what was found for as long as it is the text. */
  async check(text: string, signal: AbortSignal): Promise<Check | null> {
    if (text.trim() === "") {
      this.checked = null;
      return null;
    }
    const result = await check(text, installation.chosen, signal);
    this.checked = { text, result };
    return result;
  }

  /** The chips of the text; null where it has none, or where they are of an older text. */
  get shelf(): Shelf | null {
    const { checked } = this;
    return checked && checked.text === this.text && checked.result.ok ? checked.result.shelf : null;
  }

  /** Write the text that chips stand for. */
  async arrange(shelf: Shelf): Promise<Refusal | null> {
    try {
      this.replace(await format(shelf));
      return null;
    } catch (error) {
      return refusal(error);
    }
  }
}

function addressOf([path, fragment]: Left): string {
  return placeOf(path).page === "query" ? path + fragment : path;
}

export const question = new Question();
