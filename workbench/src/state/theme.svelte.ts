/**
 * Light or dark: as the system says, until the reader says otherwise.
 *
 * What comes in is a choice; what goes out is an attribute that the style sheet reads.
 */
import { keep, kept } from "./kept.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

class Chosen {
  theme = $state<Theme>(THEMES.find((item) => item === kept("theme")) ?? "system");

  choose(theme: Theme): void {
    this.theme = theme;
    keep("theme", theme);
    this.show();
  }

  show(): void {
    if (this.theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = this.theme;
  }
}

export const chosen = new Chosen();
chosen.show();
