// Colours that people with any colour vision tell apart (Okabe & Ito), and marks so that none of them speaks alone.

import { state } from "./state.js";

const CLASSES = {
  light: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B07A00", "#3A8FC4", "#6B5B95"],
  dark: ["#56B4E9", "#E69F00", "#2CC295", "#E39BC4", "#F0E442", "#FF8A47", "#A9B8FF"],
};

/** How a detection is judged against the ground truth, with its mark. */
export const KINDS = {
  true: { mark: "✓", name: "found", says: "finds an action" },
  double: { mark: "2", name: "double", says: "finds an action that a better one already found" },
  class: { mark: "≠", name: "wrong class", says: "lies well on an action of another class" },
  bounds: { mark: "↔", name: "badly bounded", says: "touches an action of its class, with too little overlap" },
  background: { mark: "×", name: "background", says: "lies where no action is" },
};

export const MISSED = { mark: "!", name: "missed", says: "an action that no detection finds" };

/** The colour of a class. */
export function classColour(label) {
  const colours = CLASSES[state.theme];
  return colours[label % colours.length];
}

const read = new Map(); // asking the style sheet is slow, and drawing asks thousands of times

/** A colour of the page's style sheet, by its name. */
export function themed(name) {
  const key = `${state.theme} ${name}`;
  if (!read.has(key)) read.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return read.get(key);
}

/** Black or white, whichever is easier to read on a colour that is drawn on the page's surface so opaquely. */
export function textOn(colour, opacity) {
  const [front, back] = [channels(colour), channels(themed("surface"))];
  const [red, green, blue] = front.map((value, i) => linear(opacity * value + (1 - opacity) * back[i]));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > MIDDLE ? "#0b1016" : "#ffffff";
}

const MIDDLE = 0.18; // the luminance on which black and white have the same contrast (WCAG)

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
