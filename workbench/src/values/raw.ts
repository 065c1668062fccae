/**
 * Values as they came over the wire, for what writes them into files.
 *
 * What comes in is a chunk of Arrow and a place in it; what goes out is its value: integers of 64 bits
 * and decimals as whole BigInts, moments as counts of their unit, texts and bytes as they are. It must
 * never round.
 */
import { DataType, Vector, type Data } from "apache-arrow";
import { integerOf } from "./decimal.ts";

/** Return what reads the values of a type; null values are the caller's to see. */
export function rawReader(type: DataType): (data: Data, index: number) => unknown {
  if (DataType.isDecimal(type)) {
    const words = type.bitWidth / 32;
    return (data, index) => integerOf((data.values as Uint32Array).subarray(index * words, (index + 1) * words));
  }
  const plain = DataType.isInt(type) || DataType.isTimestamp(type) || DataType.isTime(type) || DataType.isDate(type)
    || (DataType.isFloat(type) && type.precision > 0);
  if (plain) return (data, index) => (data.values as ArrayLike<number | bigint>)[index];
  const vectors = new WeakMap<Data, Vector>();
  return (data, index) => {
    let vector = vectors.get(data);
    if (!vector) {
      vector = new Vector([data]);
      vectors.set(data, vector);
    }
    return vector.get(index);
  };
}
