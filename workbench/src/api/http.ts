/**
 * One request to the server that served the page.
 *
 * What comes in are a path and values; what goes out is JSON, or a `Refusal` in the server's words. It
 * must never ask another host, nor change anything without the header that other pages cannot send.
 */

/** What the server refused, or why it could not be asked. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    readonly status = 0,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "Refusal";
  }
}

/** The code of a request that did not reach the server. */
export const UNREACHABLE = "UNREACHABLE";

/** What a request may bring beside its body. */
export interface Options {
  readonly signal?: AbortSignal;
  readonly accept?: string;
}

type Method = "GET" | "POST" | "DELETE";

/** Send a request; return the response, whatever its body. */
export async function send(method: Method, path: string, body?: unknown, options: Options = {}): Promise<Response> {
  // Beside what changes something, it says that the page itself asks who asks: the browser need not.
  const headers: Record<string, string> = { accept: options.accept ?? "application/json", "x-flightframe": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method, headers, credentials: "same-origin", cache: "no-cache",
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw new Refusal("CANCELLED", "you stopped it");
    throw new Refusal(UNREACHABLE, "the server does not answer", error instanceof Error ? error.message : null);
  }
  if (!response.ok) {
    const refused = await refusalOf(response);
    if (refused.status === 401) unauthenticated.dispatchEvent(new Event("refused"));
    throw refused;
  }
  return response;
}

/** Tells of requests that were refused because the server does not know who asks. */
export const unauthenticated = new EventTarget();

/** Send a request; return its JSON. */
export async function ask<Answer>(method: Method, path: string, body?: unknown, options?: Options): Promise<Answer> {
  const response = await send(method, path, body, options);
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new Refusal(UNREACHABLE, "the server's answer ended in the middle");
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    const text = (key: string) => (typeof error[key] === "string" ? error[key] : null);
    return new Refusal(text("code") ?? "UNKNOWN", text("message") ?? "refused", text("hint"), response.status, error);
  } catch {
    return new Refusal("UNKNOWN", `the server answered with status ${response.status}`, null, response.status);
  }
}

/** Return any error as a refusal. */
export function refusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal("PAGE", error instanceof Error ? error.message : String(error));
}
