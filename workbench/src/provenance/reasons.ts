/**
 * Why a column was not answered from what was kept, and whether a hint would change that.
 *
 * What comes in are the plan and the provenance; what goes out are the server's own words.
 */
import type { Explanation, PartProvenance } from "../api/types.ts";

/** Return the reasons of a column, each once, as EXPLAIN words them. */
export function reasons(plan: Explanation, column: string): string[] {
  if (plan.nodes && plan.edges) return [...new Set(drawnReasons(plan, column))];
  const found = plan.steps.filter((step) => step.column === column && step.why_not);
  return [...new Set(found.map((step) => step.why_not))];
}

function drawnReasons(plan: Explanation, column: string): string[] {
  const nodes = new Map((plan.nodes ?? []).map((node) => [node.id, node]));
  const open = [...nodes.values()].filter((node) => node.kind === "column" && node.label === column).map((node) => node.id);
  const seen = new Set(open);
  const found: string[] = [];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { source } of (plan.edges ?? []).filter((edge) => edge.target === next)) {
      const node = nodes.get(source);
      if (!node || seen.has(source)) continue;
      seen.add(source);
      const text = node.detail["text"];
      if (node.kind === "rejected") found.push(typeof text === "string" ? text : `${node.label}: ${node.reason ?? ""}`);
      else open.push(source);
    }
  }
  return found;
}

/** Whether an entry at the part's own anchor would have answered it as it is kept. */
export function promotable(part: PartProvenance): boolean {
  return part.route !== "exact" && part.operator !== "" && part.served_from !== "backend";
}
