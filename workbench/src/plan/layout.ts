/**
 * Where the boxes of a plan stand.
 *
 * What comes in are nodes and edges; what goes out are rectangles and the points of lines, left to
 * right. It must never fail on a plan it does not know: an edge to nowhere is left out.
 */
import { Graph, layout } from "@dagrejs/dagre";

/** A box of the drawing. */
export interface Box {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line between two boxes. */
export interface Line {
  readonly source: string;
  readonly target: string;
  readonly path: string;
}

/** The drawing, and how large it is. */
export interface Drawing {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly width: number;
  readonly height: number;
}

interface Node { readonly id: string; readonly lines: readonly string[] }
interface Edge { readonly source: string; readonly target: string }

const CHARACTER = 7.2;
const LINE = 17;
const PADDING = 10;
export const WIDEST = 34;

/** Return the drawing of a plan; the texts of a node decide how large its box is. */
export function drawing(nodes: readonly Node[], edges: readonly Edge[]): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 44, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(nodes.map((node) => node.id));
  for (const node of nodes) {
    const longest = Math.max(...node.lines.map((line) => Math.min(line.length, WIDEST)), 4);
    graph.setNode(node.id, {
      width: longest * CHARACTER + 2 * PADDING + 8, height: node.lines.length * LINE + 2 * PADDING,
    });
  }
  const drawable = edges.filter((edge) => known.has(edge.source) && known.has(edge.target));
  for (const edge of drawable) graph.setEdge(edge.source, edge.target);
  // What nothing leads to, a column that is a level, stands among the other columns.
  const last = drawable.find((edge) => !drawable.some((other) => other.source === edge.target));
  for (const node of nodes) {
    const alone = !drawable.some((edge) => edge.source === node.id || edge.target === node.id);
    if (last && alone) graph.setEdge(last.source, node.id);
  }
  layout(graph);
  const boxes = nodes.map((node) => {
    const { x, y, width, height } = graph.node(node.id) as Box;
    return { id: node.id, x: x - width / 2, y: y - height / 2, width, height };
  });
  const places = new Map(boxes.map((box) => [box.id, box]));
  const lines = drawable.map((edge) => {
    const { points } = graph.edge(edge.source, edge.target) as { points: Point[] };
    const path = pathOf(places.get(edge.source), points.slice(1, -1), places.get(edge.target));
    return { source: edge.source, target: edge.target, path };
  });
  const size = graph.graph() as { width?: number; height?: number };
  return { boxes, lines, width: size.width ?? 0, height: size.height ?? 0 };
}

interface Point { readonly x: number; readonly y: number }

/** Return a line from the right side of a box to the left side of another, by the points between. */
function pathOf(source: Box | undefined, between: readonly Point[], target: Box | undefined): string {
  if (!source || !target) return "";
  const start = { x: source.x + source.width, y: source.y + source.height / 2 };
  const end = { x: target.x, y: target.y + target.height / 2 };
  // Two boxes side by side have one point between them, half way.
  const stops = [start, ...(between.length > 1 ? between.filter((point) => point.x > start.x && point.x < end.x) : []), end];
  const fixed = (value: number) => value.toFixed(1);
  const curves = stops.slice(1).map((point, index) => {
    const before = stops[index] ?? start;
    const middle = fixed((before.x + point.x) / 2);
    return `C${middle} ${fixed(before.y)} ${middle} ${fixed(point.y)} ${fixed(point.x)} ${fixed(point.y)}`;
  });
  return `M${fixed(start.x)} ${fixed(start.y)}${curves.join("")}`;
}

/** Return every node and edge that leads to a node, or from it. */
export function related(id: string, edges: readonly Edge[]): Set<string> {
  const found = new Set([id]);
  const follow = (from: keyof Edge, to: keyof Edge) => {
    const open = [id];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const edge of edges) {
        if (edge[from] === next && !found.has(edge[to])) {
          found.add(edge[to]);
          open.push(edge[to]);
        }
      }
    }
  };
  follow("source", "target");
  follow("target", "source");
  return found;
}
