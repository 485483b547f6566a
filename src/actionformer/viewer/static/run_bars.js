// @ts-check
// What detections are, and which actions they find, as bars.

import { savedAt } from "./api.js";
import { KINDS, KIND_NAMES, MISSED } from "./colours.js";
import { element } from "./elements.js";
import { count, lengths } from "./format.js";
import { state } from "./state.js";

/** Rows of [name, [[value, css class], ...], text, value of a full bar].
 * @param {BarRow[]} rows
 */
export function bars(rows) {
  return element(
    "div",
    { class: "bars" },
    rows.flatMap(([name, values, text, whole]) => [
      element("span", {}, name),
      element(
        "div",
        { class: "whole" },
        values.map(([value, kind]) => {
          const part = element("div", { class: `part ${kind}` });
          part.style.width = `${(100 * value) / (whole || 1)}%`;
          return part;
        }),
      ),
      element("span", { class: "number" }, text),
    ]),
  );
}

/** Of actions: those found, filled, and those missed, hatched, as shares of all.
 * @type {(name: string, found: number, missed: number, text: string) => BarRow}
 */
const foundAndMissed = (name, found, missed, text) => [
  name,
  [
    [found, ""],
    [missed, "hatched"],
  ],
  text,
  found + missed,
];

/** @param {Errors} errors */
export function kinds({ kinds: counts, gains }) {
  const all = KIND_NAMES.filter((kind) => kind in counts);
  const total = all.reduce((sum, kind) => sum + counts[kind], 0);
  /** @type {BarRow[]} */
  const rows = all.map((kind) => [
    `${KINDS[kind].mark} ${kind}`,
    [[counts[kind], kind === "true positive" ? "" : "hatched"]],
    `${count(counts[kind])}${gain(gains[kind])}`,
    total,
  ]);
  const { found, missed } = counts;
  return [
    element(
      "p",
      { class: "faint" },
      `Detections ${which()}. Filled: true positives, hatched: errors. Beside an error, what mAP would gain without it.`,
    ),
    bars(rows),
    element("p", { class: "faint" }, "And of all actions, those found (filled) and those missed (hatched):"),
    bars([
      foundAndMissed(
        `${MISSED.mark} missed`,
        found,
        missed,
        `${count(missed)} of ${count(found + missed)}${gain(gains.missed)}`,
      ),
    ]),
  ];
}

export function which() {
  if (savedAt) return "of any score";
  const { minScore } = state;
  return typeof minScore === "number" ? `from score ${minScore.toFixed(2)} on` : "from the threshold of their class on";
}

/** @type {(value: number | undefined) => string} */
const gain = (value) => (value === undefined ? "" : ` · +${(100 * value).toFixed(1)}`);

/** @param {Errors} errors */
export function foundByLength({ by_length: ranges }) {
  return [
    element("h2", {}, "Actions found, by their length"),
    element("p", { class: "faint" }, "A full bar is all actions of that length. Filled: found, hatched: missed."),
    bars(
      ranges.map(({ range, found, missed }) =>
        foundAndMissed(lengths(range), found, missed, `${count(found)} of ${count(found + missed)} found`),
      ),
    ),
  ];
}
