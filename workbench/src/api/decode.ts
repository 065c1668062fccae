/**
 * The bytes of an answer, decoded: its columns and its provenance.
 *
 * What comes in is a whole stream of Arrow; what goes out are columns. It is loaded with the first
 * question, since it brings Arrow with it. It must never show a part of a stream that was cut.
 */
import { RecordBatchReader, Table, tableFromIPC, type Schema } from "apache-arrow";
import { columnOf, type Column } from "../values/column.ts";
import { Refusal } from "./http.ts";
import type { Provenance } from "./types.ts";

/** What the bytes of an answer say. */
export interface Decoded {
  readonly schema: Schema;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly provenance: Provenance | null;
}

/** Decode a stream; what ended in the middle is a refusal. */
export function decoded(bytes: Uint8Array): Decoded {
  const table = tableOf(bytes);
  const columns = table.schema.fields.map((field, place) => {
    const vector = table.getChildAt(place);
    if (!vector) throw new Refusal("PAGE", `the column ${field.name} did not come`);
    return columnOf(field, vector);
  });
  return { schema: table.schema, columns, rows: table.numRows, provenance: provenanceOf(table) };
}

/** The last bytes of a whole stream; a reader of one that was cut would end quietly. */
const END = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/** Return the table of a stream; one without batches has its columns still. */
function tableOf(bytes: Uint8Array): Table {
  const end = bytes.subarray(-END.length);
  try {
    if (!END.every((byte, place) => end[place] === byte)) throw new Error("cut");
    const table = tableFromIPC(bytes);
    if (table.batches.length > 0) return table;
    const reader = RecordBatchReader.from(bytes).open();
    return new Table(reader.schema);
  } catch {
    throw new Refusal("UNREACHABLE", "the answer ended in the middle", "ask again: no part of it is shown");
  }
}

function provenanceOf(table: Table): Provenance | null {
  const text = table.schema.metadata.get("flightframe");
  return text ? (JSON.parse(text) as Provenance) : null;
}
