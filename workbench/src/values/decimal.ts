/**
 * Exact texts of numbers that JavaScript has no type for.
 *
 * What comes in are the words of Arrow's decimals, or a BigInt with its scale; what goes out is text
 * with every digit. It must never pass through a double.
 */

/** Return the signed integer that little-endian 32-bit words hold. */
export function integerOf(words: Uint32Array): bigint {
  let value = 0n;
  for (let index = words.length - 1; index >= 0; index -= 1) {
    value = (value << 32n) | BigInt(words[index] ?? 0);
  }
  return BigInt.asIntN(words.length * 32, value);
}

/** Return an integer as text with `scale` digits behind the point. */
export function scaled(value: bigint, scale: number): string {
  if (scale <= 0) return (value * 10n ** BigInt(-scale)).toString();
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Return the text of a number with its digits in groups of three, for reading alone. */
export function grouped(text: string): string {
  const found = /^(-?)(\d+)(\..*)?$/.exec(text);
  if (!found) return text;
  return `${found[1]}${(found[2] ?? "").replace(/\B(?=(\d{3})+$)/g, "\u202f")}${found[3] ?? ""}`;
}

const DIGITS = 10;

/** Return a double as it is read on a screen: ten digits; the rest is in its full text. */
export function shortDouble(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return doubleText(value);
  const rounded = Number(value.toPrecision(DIGITS));
  return doubleText(rounded);
}

/** Return a double with the fewest digits that name it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  return Object.is(value, -0) ? "-0" : String(value);
}
