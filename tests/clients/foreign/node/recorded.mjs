// What a client's script writes down: per step what it saw, or how it failed, and how long it took.

import { readFileSync } from "node:fs";

export const BY_REGION = "SELECT region, SUM(amount) AS total AT region";
export const EVERY_TYPE =
  "SELECT sale, moment, day, gift, amount, weight, pieces AT (sale, moment, day, gift) ORDER BY sale";
export const TICKS = "SELECT tick, reading AT tick";
export const LAST = "SELECT * FROM system.last_queries";

/** The target of the command line. */
export const target = JSON.parse(process.argv[2]);

/** The version of a package as it is installed. */
export function versionOf(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
}

/** A decimal of Arrow's four 32-bit words, two's complement, as text. */
export function decimal(words, scale) {
  const whole = BigInt.asIntN(128, words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n));
  const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = scale ? `${digits.slice(0, point)}.${digits.slice(point)}` : digits;
  return whole < 0n ? `-${text}` : text;
}

/** A table as rows of plain values: texts for decimals and large integers, ISO for moments. */
export function rows(table) {
  return Array.from({ length: table.numRows }, (_, at) =>
    Object.fromEntries(
      table.schema.fields.map((field) => [field.name, plain(field, table.getChild(field.name).get(at))]),
    ),
  );
}

function plain(field, value) {
  const type = String(field.type);
  if (value === null || value === undefined) return null;
  if (type.startsWith("Decimal")) return decimal(Array.from(value), field.type.scale);
  if (type.startsWith("Date") || type.startsWith("Timestamp")) return new Date(Number(value)).toISOString();
  return typeof value === "bigint" ? value.toString() : value;
}

/** What a call is refused with, or null where it is not. */
export async function refused(call) {
  try {
    await call;
  } catch (error) {
    return error.message;
  }
  return null;
}

export class Recorder {
  constructor(version) {
    this.report = { version, steps: {}, failed: {}, served_from: {}, seconds: {} };
  }

  /** Take a step and write down what it returns, or how it fails; the next one goes on. */
  async step(name, take) {
    const started = performance.now();
    try {
      this.report.steps[name] = (await take()) ?? null;
    } catch (error) {
      this.report.failed[name] = String(error?.stack ?? error);
    }
    this.report.seconds[name] = Math.round(performance.now() - started) / 1000;
  }

  /** Write down the label that came by one carrier. */
  carried(carrier, label) {
    this.report.served_from[carrier] = label ?? null;
  }

  /** Print all of it. */
  write() {
    process.stdout.write(JSON.stringify(this.report, (_, value) => (typeof value === "bigint" ? value.toString() : value)));
  }
}
