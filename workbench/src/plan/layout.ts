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
  layout(graph);
  const boxes = nodes.map((node) => {
    const { x, y, width, height } = graph.node(node.id) as Box;
    return { id: node.id, x: x - width / 2, y: y - height / 2, width, height };
  });
  const lines = drawable.map((edge) => ({
    source: edge.source, target: edge.target,
    path: pathOf((graph.edge(edge.source, edge.target) as { points: Point[] }).points),
  }));
  const size = graph.graph() as { width?: number; height?: number };
  return { boxes, lines, width: size.width ?? 0, height: size.height ?? 0 };
}

interface Point { readonly x: number; readonly y: number }

function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const end = rest.at(-1) ?? first;
  const middle = (first.x + end.x) / 2;
  const fixed = (value: number) => value.toFixed(1);
  if (points.length <= 3) {
    return `M${fixed(first.x)} ${fixed(first.y)}C${fixed(middle)} ${fixed(first.y)} ${fixed(middle)} ${fixed(end.y)} ${fixed(end.x)} ${fixed(end.y)}`;
  }
  return `M${points.map((point) => `${fixed(point.x)} ${fixed(point.y)}`).join("L")}`;
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
