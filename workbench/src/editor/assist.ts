/**
 * What the server says while one types: what may stand here, and what is wrong.
 *
 * What comes in are places of the editor; what goes out are its completions and its marks. It must
 * never write what is not lawful there, nor say anything of a text that has moved on meanwhile.
 */
import { autocompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { linter, type Action, type Diagnostic } from "@codemirror/lint";
import type { EditorView } from "@codemirror/view";
import { complete } from "../api/query.ts";
import type { Check, Mistake, Option } from "../api/types.ts";
import { placeAt, toCharacters, toPlace } from "./offsets.ts";

const TYPES: Readonly<Record<Option["kind"], string>> = {
  metric: "variable", level: "property", reducer: "function", keyword: "keyword", schema: "class",
  function: "function", member: "text", parameter: "constant",
};

/** Return the completion of the editor; `collection` says which one is asked. */
export function completion(collection: () => string | null) {
  async function source(context: CompletionContext): Promise<CompletionResult | null> {
    const text = context.state.doc.toString();
    const before = text.slice(0, context.pos);
    // Decided before the server is asked: an answer that is thrown away would take with it the
    // completion that the reader asks for by the keys meanwhile.
    if (!context.explicit && !beginsSomething(before)) return null;
    const abort = new AbortController();
    context.addEventListener("abort", () => abort.abort());
    try {
      const found = await complete(text, toCharacters(text, context.pos), collection(), abort.signal);
      if (context.aborted) return null;
      const from = toPlace(text, found.start);
      const typed = text.slice(from, context.pos).replace(/^['"]/, "").toLowerCase();
      // In the server's order, which knows what is lawful and what begins with the letters typed.
      return {
        from, to: toPlace(text, found.end), options: found.options.map(optionOf), filter: false,
        getMatch: ({ label }) => matchOf(label.toLowerCase(), typed),
      };
    } catch {
      // A completion that does not come is no failure of the reader's.
      return null;
    }
  }
  return autocompletion({
    override: [source],
    icons: false,
    optionClass: (option) => (option.type === "illegal" ? "illegal" : ""),
  });
}

/** Whether something is being written at the end of a text, or may begin there without a letter yet. */
export function beginsSomething(before: string): boolean {
  return /[\p{L}\p{N}_"'$]$|[.(,]\s*$/u.test(before);
}

/** Return where the letters that are typed stand in a name, as a list of ends. */
function matchOf(label: string, typed: string): readonly number[] {
  const place = typed === "" ? -1 : label.indexOf(typed);
  return place < 0 ? [] : [place, place + typed.length];
}

function optionOf(option: Option): Completion {
  if (!option.legal) {
    const reason = `${option.code ?? ""}: ${option.reason ?? "it may not stand here"}`;
    return { label: option.label, type: "illegal", detail: option.kind, apply: () => undefined, info: reason };
  }
  const words = [option.type, option.detail].filter(Boolean).join(" · ");
  return {
    label: option.label, type: TYPES[option.kind], apply: option.insert, detail: option.kind,
    ...(words && { info: words }),
  };
}

/** Return the marks of the editor. */
export function lint(check: (text: string, signal: AbortSignal) => Promise<Check | null>) {
  let last: AbortController | null = null;
  async function source(view: EditorView): Promise<Diagnostic[]> {
    last?.abort();
    last = new AbortController();
    const text = view.state.doc.toString();
    try {
      const found = await check(text, last.signal);
      if (found === null || found.ok || view.state.doc.toString() !== text) return [];
      return found.errors.map((mistake) => diagnosticOf(text, mistake));
    } catch {
      // The connection's light says that the server is away.
      return [];
    }
  }
  return linter(source, { delay: 300 });
}

/** Return the mark of a mistake; one without a place marks the whole text. */
export function diagnosticOf(text: string, mistake: Mistake): Diagnostic {
  const [from, to] = rangeOf(text, mistake);
  const fix = mistake.fix;
  const actions: Action[] = fix === null ? [] : [{
    name: "Write it so",
    apply: (view) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: fix } }),
  }];
  const hint = mistake.hint ? `\n${mistake.hint}` : "";
  return { from, to, severity: "error", source: mistake.code, message: `${mistake.message}${hint}`, actions };
}

function rangeOf(text: string, mistake: Mistake): [number, number] {
  if (mistake.line === null || mistake.column === null) return [0, text.trimEnd().length];
  const from = placeAt(text, mistake.line, mistake.column);
  const to = mistake.end_line != null && mistake.end_column != null
    ? placeAt(text, mistake.end_line, mistake.end_column)
    : from + (/^(?:\w+|"[^"]*"|.)/.exec(text.slice(from))?.[0].length ?? 0);
  return to > from ? [from, to] : [Math.max(from - 1, 0), from];
}
