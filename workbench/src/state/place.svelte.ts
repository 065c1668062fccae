/**
 * Where the reader is: the page of the address, and going elsewhere.
 *
 * What comes in are clicks on links and the browser's own back and forth; what goes out is a place.
 * It must never take a click that asks for a new tab.
 */
import { placeOf, type Place } from "./address.ts";

class Here {
  place = $state<Place>(placeOf(location.pathname));
  search = $state(location.search);
  hash = $state(location.hash);

  /** Read the address anew, after it was changed by anyone. */
  read(): void {
    this.place = placeOf(location.pathname);
    this.search = location.search;
    this.hash = location.hash;
  }

  /** Go to an address of the workbench. */
  go(address: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    this.read();
  }
}

export const here = new Here();

/** Tells of links that were followed within the page, of which the browser tells nothing. */
export const followed = new EventTarget();

/** Go where a link of the workbench would lead. */
export function follow(address: string): void {
  here.go(address);
  followed.dispatchEvent(new Event("link"));
}

/** Follow links within the page without loading it anew. */
export function followLinks(event: MouseEvent): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.composedPath().find((item) => item instanceof HTMLAnchorElement);
  if (!plain || event.defaultPrevented || !link || link.target || link.download || link.origin !== location.origin) return;
  if (link.dataset["outside"] !== undefined) return;
  event.preventDefault();
  follow(link.pathname + link.search + link.hash);
  if (link.hash && here.place.page === "help") return;
  document.getElementById("main")?.focus({ preventScroll: false });
}
