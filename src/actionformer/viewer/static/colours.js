// @ts-check
// Colours that people with any colour vision tell apart, and marks so that none of them speaks alone.

import { state } from "./state.js";

// The hues of Okabe & Ito in the same order in both themes, as light or dark as tells them apart best there.
const CLASSES = {
  light: ["#0D4A87", "#AC4F27", "#3B8D6B", "#CC71A7", "#948D2B", "#179FD2", "#745C9B"],
  dark: ["#7498C2", "#F6923E", "#30C195", "#9B728C", "#F7DE3E", "#AAD9F2", "#B990F9"],
};

/** How a detection is judged against the ground truth, with its mark.
 * @type {Record<Kind, {mark: string, says: string}>}
 */
export const KINDS = {
  "true positive": { mark: "✓", says: "finds an action" },
  duplicate: { mark: "2", says: "finds an action that a better one already found" },
  "wrong label": { mark: "≠", says: "overlaps an action of another class enough" },
  localization: { mark: "↔", says: "overlaps an action of its class, but not enough" },
  confusion: { mark: "≁", says: "overlaps an action of another class, but not enough" },
  background: { mark: "×", says: "overlaps no action enough" },
};

export const KIND_NAMES = /** @type {Kind[]} */ (Object.keys(KINDS));

export const MISSED = { mark: "!", says: "an action that no detection finds" };

/** The colour of a class.
 * @param {number} label
 */
export function classColour(label) {
  const colours = CLASSES[state.theme];
  return colours[label % colours.length];
}

/** @type {Map<string, string>} */
const read = new Map(); // asking the style sheet is slow, and drawing asks thousands of times

/** A colour of the page's style sheet, by its name.
 * @param {string} name
 */
export function themed(name) {
  const key = `${state.theme} ${name}`;
  const known = read.get(key) ?? getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  read.set(key, known);
  return known;
}

/** Black or white, whichever is easier to read on a colour that is drawn on the page's surface so opaquely.
 * @param {string} colour
 * @param {number} opacity
 */
export function textOn(colour, opacity) {
  const [front, back] = [channels(colour), channels(themed("surface"))];
  const [red, green, blue] = front.map((value, i) => linear(opacity * value + (1 - opacity) * back[i]));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > MIDDLE ? "#0b1016" : "#ffffff";
}

const MIDDLE = 0.18; // the luminance on which black and white have the same contrast (WCAG)

/** @type {(colour: string) => number[]} */
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
/** @type {(value: number) => number} */
const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
