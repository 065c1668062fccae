declare module "*.grammar" {
  import type { LRParser } from "@lezer/lr";
  export const parser: LRParser;
}
declare module "*.grammar.terms" {
  const terms: Readonly<Record<string, number>>;
  export = terms;
}
declare module "virtual:help" {
  export const pages: readonly {
    readonly name: string;
    readonly title: string;
    readonly load: () => Promise<{ readonly default: string }>;
  }[];
}
