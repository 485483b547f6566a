// @ts-check
// Numbers as people read them.

/** Seconds as h:mm:ss.ss, with as many decimals as told; hours only where there are some.
 * @param {number} seconds
 * @param {number} [decimals]
 */
export function clock(seconds, decimals = 2) {
  const factor = 10 ** decimals;
  const whole = Math.round(Math.max(seconds, 0) * factor);
  const [hours, minutes] = [Math.floor(whole / (3600 * factor)), Math.floor(whole / (60 * factor)) % 60];
  const rest = ((whole / factor) % 60).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @type {(value: number) => string} */
export const score = (value) => (value >= 0.001 || value === 0 ? value.toFixed(3) : value.toExponential(1));
/** @type {(value: number | null | undefined) => string} */
export const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)}%`);
/** @type {(value: number) => string} */
export const count = (value) => value.toLocaleString("en");
/** @type {(value: number) => string} */
export const seconds = (value) =>
  `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} s`;
/** @type {(n: number, one: string, many?: string) => string} */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Orders names, the numbers in them by value. */
export const byName = new Intl.Collator(undefined, { numeric: true }).compare;

/** "1:02.00 – 1:05.50"
 * @type {(segment: Span) => string}
 */
export const span = ([start, end]) => `${clock(start)} – ${clock(end)}`;

/** A range of lengths, the longest of which may have no end.
 * @type {(range: [number, number | null]) => string}
 */
export const lengths = ([low, high]) => (high === null ? `from ${seconds(low)}` : `${seconds(low)} – ${seconds(high)}`);
