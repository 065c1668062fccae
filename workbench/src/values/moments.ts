/**
 * Dates, times and moments as ISO texts, to the last digit of their unit.
 *
 * What comes in are integers of a unit since an epoch; what goes out is text. It must never move a
 * moment into the browser's own time zone.
 */

const DAY_MS = 86_400_000;
const PER_SECOND: readonly bigint[] = [1n, 1_000n, 1_000_000n, 1_000_000_000n];
const DIGITS: readonly number[] = [0, 3, 6, 9];

/** Return a day, counted from 1970-01-01, as `YYYY-MM-DD`. */
export function dayText(days: number): string {
  return isoDay(new Date(days * DAY_MS));
}

/**
 * Return a moment as text.
 *
 * @param value how many units since 1970.
 * @param unit 0 for seconds, then milliseconds, microseconds, nanoseconds.
 * @param zone the zone it is shown in; null for a moment without one.
 */
export function momentText(value: bigint, unit: number, zone: string | null): string {
  const per = PER_SECOND[unit] ?? 1n;
  let seconds = value / per;
  let rest = value % per;
  if (rest < 0n) [seconds, rest] = [seconds - 1n, rest + per];
  const at = new Date(Number(seconds) * 1000);
  const fraction = fractionText(rest, unit);
  if (zone === null) return `${isoDay(at)} ${at.toISOString().slice(-13, -5)}${fraction}`;
  return `${zoned(at, zone, fraction)}`;
}

/** Return a time of day as text; the unit is as in `momentText`. */
export function timeText(value: bigint, unit: number): string {
  const per = PER_SECOND[unit] ?? 1n;
  const seconds = Number(value / per);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":") + fractionText(value % per, unit);
}

function fractionText(rest: bigint, unit: number): string {
  const digits = DIGITS[unit] ?? 0;
  const text = rest.toString().padStart(digits, "0").replace(/0+$/, "");
  return digits === 0 || text === "" ? "" : `.${text}`;
}

function isoDay(at: Date): string {
  if (Number.isNaN(at.getTime())) return "a day out of range";
  const year = at.getUTCFullYear();
  const sign = year < 0 ? "-" : "";
  const padded = String(Math.abs(year)).padStart(4, "0");
  return `${sign}${padded}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function zoned(at: Date, zone: string, fraction: string): string {
  if (zone === "UTC" || zone === "Etc/UTC") {
    return `${isoDay(at)} ${at.toISOString().slice(-13, -5)}${fraction} UTC`;
  }
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "longOffset",
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map((item) => [item.type, item.value]));
  const offset = (part["timeZoneName"] ?? "").replace("GMT", "") || "+00:00";
  const day = `${(part["year"] ?? "").padStart(4, "0")}-${part["month"]}-${part["day"]}`;
  return `${day} ${part["hour"]}:${part["minute"]}:${part["second"]}${fraction}${offset}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
