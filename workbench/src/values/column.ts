/**
 * A column of an answer, as the page reads it: exact texts, and numbers for drawing and sorting.
 *
 * What comes in is a vector of Arrow; what goes out are texts by row, null where there is no value.
 * It must never copy the column: a million rows stay where the network put them.
 */
import { DataType, Vector, type Data, type Field } from "apache-arrow";
import { doubleText, integerOf, scaled, shortDouble } from "./decimal.ts";
import { dayText, momentText, timeText } from "./moments.ts";
import { rawReader } from "./raw.ts";

/** What a column is to the eye: its side, its sorting, its axis. */
export type Kind = "number" | "moment" | "text" | "truth";

/** One column of an answer. */
export interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** Its type as the server names it. */
  readonly type: string;
  readonly length: number;
  /** The value with all its digits; null where there is none. */
  text(row: number): string | null;
  /** The value as the screen shows it, doubles shortened. */
  shown(row: number): string | null;
  /** The value as a number near it: for axes and sorting, never for reading. */
  number(row: number): number | null;
  /** The value as it came, for files; see `rawReader`. */
  raw(row: number): unknown;
}

type Reader = (data: Data, index: number) => string;

/** Return a column over a vector. */
export function columnOf(field: Field, vector: Vector): Column {
  const type = field.type;
  const kind = kindOf(type);
  const read = readerOf(type);
  const readRaw = rawReader(type);
  const at = locator(vector);
  const isDouble = DataType.isFloat(type);
  const valueAt = (row: number): string | null => {
    const [data, index] = at(row);
    return data.getValid(index) ? read(data, index) : null;
  };
  return {
    name: field.name,
    kind,
    type: typeName(type),
    length: vector.length,
    text: valueAt,
    shown: isDouble ? (row) => { const value = vector.get(row) as number | null; return value === null ? null : shortDouble(value); } : valueAt,
    number: (row) => numberOf(type, vector.get(row), valueAt, row),
    raw: (row) => {
      const [data, index] = at(row);
      return data.getValid(index) ? readRaw(data, index) : null;
    },
  };
}

function numberOf(type: DataType, value: unknown, text: (row: number) => string | null, row: number): number | null {
  if (value === null || value === undefined) return null;
  if (DataType.isDecimal(type)) return Number(text(row));
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return null;
}

/** Return a function from a row of a vector to its chunk and the place in it. */
function locator(vector: Vector): (row: number) => [Data, number] {
  const chunks = vector.data as readonly Data[];
  const starts: number[] = [];
  let total = 0;
  for (const chunk of chunks) {
    starts.push(total);
    total += chunk.length;
  }
  return (row) => {
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    return [chunks[low] as Data, row - (starts[low] ?? 0)];
  };
}

/** Return what a type is to the eye. */
export function kindOf(type: DataType): Kind {
  if (DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)) return "number";
  if (DataType.isDate(type) || DataType.isTimestamp(type)) return "moment";
  return DataType.isBool(type) ? "truth" : "text";
}

/** Return the name of a type, as the server's own pages write it. */
export function typeName(type: DataType): string {
  if (DataType.isDecimal(type)) return `decimal(${type.precision}, ${type.scale})`;
  if (DataType.isInt(type)) return `${type.isSigned ? "" : "u"}int${type.bitWidth}`;
  if (DataType.isFloat(type)) return type.precision === 2 ? "double" : "float";
  if (DataType.isDate(type)) return "date";
  if (DataType.isTimestamp(type)) return type.timezone ? `timestamp, ${type.timezone}` : "timestamp";
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return "text";
  if (DataType.isBool(type)) return "bool";
  return String(type).toLowerCase();
}

function readerOf(type: DataType): Reader {
  if (DataType.isDecimal(type)) {
    const words = type.bitWidth / 32;
    return (data, index) => {
      const values = data.values as Uint32Array;
      return scaled(integerOf(values.subarray(index * words, (index + 1) * words)), type.scale);
    };
  }
  if (DataType.isInt(type)) return (data, index) => String((data.values as ArrayLike<number | bigint>)[index]);
  if (DataType.isTimestamp(type)) {
    const zone = type.timezone ?? null;
    return (data, index) => momentText((data.values as BigInt64Array)[index] ?? 0n, type.unit, zone);
  }
  if (DataType.isTime(type)) {
    return (data, index) => timeText(BigInt((data.values as ArrayLike<number | bigint>)[index] ?? 0), type.unit);
  }
  if (DataType.isDate(type)) {
    const days = type.unit === 0;
    return (data, index) => {
      const value = Number((data.values as ArrayLike<number | bigint>)[index] ?? 0);
      return dayText(days ? value : Math.floor(value / 86_400_000));
    };
  }
  if (DataType.isFloat(type) && type.precision === 2) {
    return (data, index) => doubleText((data.values as Float64Array)[index] ?? NaN);
  }
  return generalReader();
}

/** Return a reader of what needs more than one buffer, by a vector over its chunk. */
function generalReader(): Reader {
  const vectors = new WeakMap<Data, Vector>();
  return (data, index) => {
    let vector = vectors.get(data);
    if (!vector) {
      vector = new Vector([data]);
      vectors.set(data, vector);
    }
    return plainText(vector.get(index));
  };
}

/** Return any value as text: bytes as hexadecimal, lists and structures as JSON. */
export function plainText(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `0x${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
  if (typeof value === "number") return doubleText(value);
  if (value !== null && typeof value === "object") {
    return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
  }
  return String(value);
}
