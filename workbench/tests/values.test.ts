import { expect, test } from "vitest";
import {
  Binary, Bool, DateDay, Decimal, Field, Float64, Int64, TimestampMicrosecond, Utf8, makeData, makeVector,
  vectorFromArray, Vector, TimestampNanosecond,
} from "apache-arrow";
import { columnOf, plainText } from "../src/values/column.ts";
import { doubleText, grouped, integerOf, scaled, shortDouble } from "../src/values/decimal.ts";
import { dayText, momentText, timeText } from "../src/values/moments.ts";

const column = (type: never | any, vector: Vector) => columnOf(new Field("x", type, true), vector);

test("decimals keep every digit and their sign", () => {
  expect(scaled(386863636n, 2)).toBe("3868636.36");
  expect(scaled(-5n, 2)).toBe("-0.05");
  expect(scaled(0n, 2)).toBe("0.00");
  expect(scaled(12n, 0)).toBe("12");
  expect(scaled(12n, -3)).toBe("12000");
  expect(scaled(99999999999999999999999999999999999999n, 2)).toBe("999999999999999999999999999999999999.99");
});

test("words of two's complement are read with their sign", () => {
  expect(integerOf(new Uint32Array([0xfffffffb, 0xffffffff, 0xffffffff, 0xffffffff]))).toBe(-5n);
  expect(integerOf(new Uint32Array([0, 1, 0, 0]))).toBe(4294967296n);
});

test("a column of decimals shows NULL as none", () => {
  const type = new Decimal(2, 38, 128);
  const data = makeData({
    type, length: 3, nullCount: 1, nullBitmap: new Uint8Array([0b101]),
    data: new Uint32Array([386863636, 0, 0, 0, 1, 1, 1, 1, 0xfffffffb, 0xffffffff, 0xffffffff, 0xffffffff]),
  });
  const found = column(type, new Vector([data]));
  expect([0, 1, 2].map((row) => found.text(row))).toEqual(["3868636.36", null, "-0.05"]);
  expect(found.number(0)).toBe(3868636.36);
  expect(found.type).toBe("decimal(38, 2)");
  expect(found.kind).toBe("number");
});

test("an integer beyond 2^53 keeps its last digit", () => {
  const found = column(new Int64(), vectorFromArray([9007199254740993n, null, -1n], new Int64()));
  expect([0, 1, 2].map((row) => found.text(row))).toEqual(["9007199254740993", null, "-1"]);
});

test("days before and after 1970", () => {
  expect(dayText(0)).toBe("1970-01-01");
  expect(dayText(-1)).toBe("1969-12-31");
  expect(dayText(19800)).toBe("2024-03-18");
  const found = column(new DateDay(), makeVector(makeData({ type: new DateDay(), data: new Int32Array([19800, -1]) })));
  expect([found.text(0), found.text(1)]).toEqual(["2024-03-18", "1969-12-31"]);
  expect(found.kind).toBe("moment");
});

test("moments keep the digits of their unit, and their zone", () => {
  expect(momentText(1710720000123456n, 2, null)).toBe("2024-03-18 00:00:00.123456");
  expect(momentText(-1n, 3, null)).toBe("1969-12-31 23:59:59.999999999");
  expect(momentText(1710720000n, 0, "UTC")).toBe("2024-03-18 00:00:00 UTC");
  expect(momentText(1710720000n, 0, "Europe/Berlin")).toBe("2024-03-18 01:00:00+01:00");
  const type = new TimestampNanosecond("UTC");
  const found = column(type, makeVector(makeData({ type, data: new BigInt64Array([1710720000123456789n]) })));
  expect(found.text(0)).toBe("2024-03-18 00:00:00.123456789 UTC");
  const micro = new TimestampMicrosecond();
  expect(column(micro, makeVector(makeData({ type: micro, data: new BigInt64Array([1n]) }))).text(0))
    .toBe("1970-01-01 00:00:00.000001");
  expect(timeText(45296000001n, 2)).toBe("12:34:56.000001");
});

test("doubles: what is none is told, and the screen shows ten digits", () => {
  expect([NaN, Infinity, -Infinity, -0, 0.1 + 0.2].map(doubleText)).toEqual(["NaN", "∞", "-∞", "-0", "0.30000000000000004"]);
  expect(shortDouble(0.1 + 0.2)).toBe("0.3");
  expect(shortDouble(0.29827612345678)).toBe("0.2982761235");
  const found = column(new Float64(), vectorFromArray([0.1 + 0.2, null, NaN], new Float64()));
  expect([found.shown(0), found.text(0), found.shown(1), found.text(2)]).toEqual(["0.3", "0.30000000000000004", null, "NaN"]);
});

test("texts, truths and bytes", () => {
  const texts = column(new Utf8(), vectorFromArray(["<img onerror=x>", "", null], new Utf8()));
  expect([0, 1, 2].map((row) => texts.text(row))).toEqual(["<img onerror=x>", "", null]);
  expect(column(new Bool(), vectorFromArray([true, false], new Bool())).text(1)).toBe("false");
  expect(column(new Binary(), vectorFromArray([new Uint8Array([0, 255])], new Binary())).text(0)).toBe("0x00ff");
  expect(plainText({ a: 1n })).toBe('{"a":"1"}');
});

test("rows behind a chunk are of the next one", () => {
  const type = new Int64();
  const parts = [[1n, 2n], [], [3n]].map((values) => makeData({ type, data: new BigInt64Array(values) }));
  const found = column(type, new Vector(parts));
  expect([0, 1, 2].map((row) => found.text(row))).toEqual(["1", "2", "3"]);
});

test("groups of three are for integers and decimals alone", () => {
  expect(grouped("1234567.891")).toBe("1\u202f234\u202f567.891");
  expect(grouped("-123")).toBe("-123");
  expect(grouped("1e+30")).toBe("1e+30");
});
