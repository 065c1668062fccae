/**
 * Rows as a Parquet file, written in the browser: the very rows that are shown, with their types.
 *
 * What comes in are columns and the rows that are shown; what goes out are the bytes of a file. It must
 * never change a value, nor hold the page up: a group of rows is written at a time.
 */
import { DataType, TimeUnit, type Field } from "apache-arrow";
import { ByteWriter, ParquetWriter, type ColumnSource, type KeyValue, type SchemaElement } from "hyparquet-writer";
import type { Answer } from "../api/query.ts";
import { Refusal } from "../api/http.ts";
import type { Column } from "../values/column.ts";

/** Rows that are written at a time. */
const GROUP = 16_384;
const UNITS = { [TimeUnit.MILLISECOND]: "MILLIS", [TimeUnit.MICROSECOND]: "MICROS", [TimeUnit.NANOSECOND]: "NANOS" } as const;

/** How a column of Arrow stands in a file. */
interface Stored {
  readonly element: SchemaElement;
  /** Return the value as the file has it. */
  readonly value: (column: Column, row: number) => unknown;
}

/** Return the file of an answer's rows; `progress` is told of the rows as they are written. */
export async function parquet(answer: Answer, kept: Uint32Array | null, progress: (rows: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const names = answer.columns.map((column) => column.name);
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (twice !== undefined) throw new Refusal("PAGE", `two columns are named ${twice}`, "a Parquet file has each name once: give one of them another by AS");
  const stored = answer.schema.fields.map(storedAs);
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer, kvMetadata: metadataOf(answer), createdBy: "flightframe workbench",
    schema: [{ name: "schema", num_children: stored.length }, ...stored.map(({ element }) => element)],
  });
  const count = kept?.length ?? answer.rows;
  for (let start = 0; start < count; start += GROUP) {
    const rows = Array.from({ length: Math.min(GROUP, count - start) }, (_, place) => (kept ? (kept[start + place] ?? 0) : start + place));
    await file.write({ columnData: answer.columns.map((column, place) => source(column, stored[place] as Stored, rows)), rowGroupSize: GROUP });
    progress(start + rows.length);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await file.finish();
  return new Uint8Array(writer.getBuffer());
}

function source(column: Column, { element, value }: Stored, rows: readonly number[]): ColumnSource {
  const data = rows.map((row) => value(column, row));
  // A dictionary takes 0 and -0 for one.
  const float = element.type === "DOUBLE" || element.type === "FLOAT";
  return { name: column.name, data, ...(float && { encoding: "PLAIN" as const }) };
}

const raw = (column: Column, row: number) => column.raw(row);
const times = (factor: bigint) => (column: Column, row: number) => {
  const value = column.raw(row) as bigint | null;
  return value === null ? null : value * factor;
};

/** Return how a field is stored; what Parquet has no type for is stored as its text. */
function storedAs({ name, type }: Field): Stored {
  const stored = (rest: Partial<SchemaElement>, value = raw): Stored => ({ element: { name, repetition_type: "OPTIONAL", ...rest }, value });
  if (DataType.isDecimal(type)) {
    const { precision, scale, bitWidth } = type;
    return stored({ type: "FIXED_LEN_BYTE_ARRAY", type_length: bitWidth / 8, converted_type: "DECIMAL", precision, scale });
  }
  if (DataType.isInt(type)) {
    const { bitWidth, isSigned } = type;
    if (bitWidth === 64) return stored({ type: "INT64", ...(!isSigned && { converted_type: "UINT_64" as const }) });
    if (bitWidth === 32 && isSigned) return stored({ type: "INT32" });
    return stored({ type: "INT32", converted_type: `${isSigned ? "INT" : "UINT"}_${bitWidth}` as "INT_16" });
  }
  if (DataType.isFloat(type) && type.precision > 0) return stored({ type: type.precision === 2 ? "DOUBLE" : "FLOAT" });
  if (DataType.isBool(type)) return stored({ type: "BOOLEAN" });
  if (DataType.isDate(type) && type.unit === 0) return stored({ type: "INT32", converted_type: "DATE" });
  if (DataType.isTimestamp(type)) {
    const seconds = type.unit === TimeUnit.SECOND;
    const unit = type.unit === TimeUnit.SECOND ? "MILLIS" : UNITS[type.unit];
    return stored({ type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: Boolean(type.timezone), unit } }, seconds ? times(1000n) : raw);
  }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return stored({ type: "BYTE_ARRAY" });
  return stored({ type: "BYTE_ARRAY", converted_type: "UTF8" }, (column, row) => column.text(row));
}

/** Return what the answer says of itself, and its schema as Arrow's readers look for it. */
function metadataOf(answer: Answer): KeyValue[] {
  const told = [...answer.schema.metadata].map(([key, value]) => ({ key, value }));
  const exact = answer.schema.fields.every(({ type }) => isKept(type));
  return exact ? [...told, { key: "ARROW:schema", value: base64(schemaMessage(answer.bytes)) }] : told;
}

const isKept = (type: DataType) => DataType.isDecimal(type) || DataType.isInt(type) || DataType.isFloat(type) || DataType.isBool(type)
  || DataType.isDate(type) || DataType.isTimestamp(type) || DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isBinary(type);

/** Return the first message of a stream: a mark, its length, and the schema. */
function schemaMessage(bytes: Uint8Array): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, true);
  return bytes.subarray(0, 8 + length);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
