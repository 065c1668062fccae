/**
 * Charts, by Observable Plot.
 *
 * What comes in are points and a choice; what goes out is an SVG without styles of its own: the page's
 * policy forbids them. It must never show a number that is not in the answer.
 */
import * as Plot from "@observablehq/plot";
import type { Point } from "./facts.ts";
import { MOST_BARS, type Choice } from "./rule.ts";

/** Twelve colours that can be told apart on both grounds. */
export const COLOURS = [
  "#2f6fde", "#c2571a", "#23875a", "#8a4fd0", "#b3306b", "#8a7300", "#16808f", "#7b8794",
  "#d0453c", "#4f8a10", "#a06a3a", "#5a63c9",
];

/** What a chart is drawn with. */
export interface Room {
  readonly width: number;
  readonly height: number;
}

/** Return the members told apart by colour, in the order of the legend. */
export function membersOf(points: readonly Point[]): string[] {
  return [...new Set(points.map((point) => point.by))];
}

/** Return a chart. */
export function draw(points: readonly Point[], choice: Choice, room: Room): SVGElement {
  const members = membersOf(points);
  const svg = Plot.plot({
    className: "plot",
    width: room.width,
    height: heightOf(points, choice, room),
    marginLeft: choice.chart === "bars" || choice.chart === "heat" ? leftOf(points) : 64,
    marginBottom: 36,
    color: choice.chart === "heat"
      ? { scheme: "blues", percent: choice.percent }
      : { domain: members, range: members.map((_, index) => COLOURS[index % COLOURS.length] ?? "#2f6fde") },
    ...scales(choice),
    marks: marks(points, choice),
  }) as SVGElement;
  return clean(svg, choice);
}

function scales(choice: Choice): Plot.PlotOptions {
  const value = { label: choice.metric, grid: true, percent: choice.percent, tickFormat: choice.percent ? undefined : "~s", nice: true } as const;
  switch (choice.chart) {
    case "bars":
      return { x: value, y: { label: null } };
    case "heat":
      return { x: { label: choice.along, type: "band", tickFormat: shortMoment }, y: { label: choice.by }, padding: 0.02 };
    case "grouped":
      return { fx: { label: choice.along, tickFormat: shortMoment }, x: { axis: null }, y: value };
    default:
      return { x: { label: null }, y: value };
  }
}

function marks(points: readonly Point[], choice: Choice): Plot.Markish[] {
  const drawable = points.filter((point) => point.value !== null && !(point.along instanceof Date && Number.isNaN(point.along.getTime())));
  switch (choice.chart) {
    case "bars":
      return [
        Plot.barX(drawable.slice().sort(byValue).slice(0, MOST_BARS), { x: "value", y: alongText, sort: { y: null }, fill: COLOURS[0] ?? null, title: "title" }),
        Plot.ruleX([0]),
      ];
    case "grouped":
      return [Plot.barY(drawable, { fx: alongText, x: "by", y: "value", fill: "by", title: "title" }), Plot.ruleY([0])];
    case "heat":
      return [Plot.cell(drawable, { x: alongText, y: "by", fill: "value", title: "title" })];
    default:
      return [
        Plot.ruleY(drawable.every((point) => (point.value ?? 0) >= 0) ? [0] : []),
        Plot.lineY(drawable, { x: "along", y: "value", stroke: "by", z: "by", strokeWidth: 1.75, sort: "along" }),
        Plot.dot(drawable, { x: "along", y: "value", fill: "by", r: drawable.length > 400 ? 1.25 : 2.5, title: "title" }),
      ];
  }
}

const byValue = (a: Point, b: Point) => (b.value ?? 0) - (a.value ?? 0);
const alongText = (point: Point) => shortMoment(point.along);

function shortMoment(value: Date | string): string {
  return value instanceof Date ? (Number.isNaN(value.getTime()) ? "∅" : value.toISOString().slice(0, 10)) : value;
}

function heightOf(points: readonly Point[], choice: Choice, room: Room): number {
  if (choice.chart === "bars") return Math.max(Math.min(points.length, MOST_BARS) * 26 + 60, 120);
  if (choice.chart === "heat") return Math.max(membersOf(points).length * 22 + 70, 160);
  return room.height;
}

function leftOf(points: readonly Point[]): number {
  const longest = Math.max(...points.slice(0, 500).map((point) => Math.max(shortMoment(point.along).length, point.by.length)), 4);
  return Math.min(longest * 7 + 16, 200);
}

/** Take away what the page's policy forbids, and what a screen reader stumbles over. */
function clean(svg: SVGElement, choice: Choice): SVGElement {
  for (const style of svg.querySelectorAll("style")) style.remove();
  for (const group of svg.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${choice.metric} by ${[choice.along, choice.by].filter(Boolean).join(" and ") || "nothing"}; the tab Rows has its numbers`);
  return svg;
}
