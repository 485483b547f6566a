// @ts-check
// The run as tables: by class, by length, by video, and beside a second run.

import { KINDS, KIND_NAMES, MISSED } from "./colours.js";
import { card, element, table } from "./elements.js";
import { clock, count, lengths, percent } from "./format.js";
import { which } from "./run_bars.js";
import { sortable } from "./sortable.js";
import { state } from "./state.js";
import { open, precisionOf } from "./videos.js";

const ERRORS = KIND_NAMES.filter((kind) => kind !== "true positive");

/** @type {(map: object) => string[]} */
export const thresholds = (map) => Object.keys(map).sort((a, b) => Number(a) - Number(b));

/**
 * @param {RunAnswer["per_class"]} classes
 * @param {Errors} errors
 */
export function byClass(classes, { by_class: counts }) {
  const key = keyOf(classes[0]?.ap ?? {});
  return card(
    element("h2", {}, "By class"),
    sortable(
      [
        ["Class", (row) => row.class],
        [`AP at ${key}`, (row) => row.ap[key], percent],
        ["Actions", (row) => row.actions, count],
        [`${MISSED.mark} missed`, (row) => counts[row.class]?.missed ?? 0, count],
        ...ERRORS.map(countedErrors(counts)),
      ],
      classes,
      `Precision of all detections, errors among those ${which()}; click a heading to sort`,
      1,
    ),
  );
}

/** @type {(counts: Errors["by_class"]) => (kind: Kind) => SortableColumn<RunAnswer["per_class"][0]>} */
const countedErrors = (counts) => (kind) => [headed(kind), (row) => counts[row.class]?.[kind] ?? 0, count];

/** @type {(kind: Kind) => Column<LengthRange>} */
const errorsOfLength = (kind) => [headed(kind), (row) => count(row[kind]), true];

/** @type {(kind: Kind) => string} */
const headed = (kind) => `${KINDS[kind].mark} ${kind}`;

/** @param {Errors} errors */
export function byLength({ by_length: ranges }) {
  return card(
    element("h2", {}, "By length"),
    table(
      [
        ["Length", ({ range }) => lengths(range)],
        ["Actions", ({ found, missed }) => count(found + missed), true],
        [`${MISSED.mark} missed`, ({ missed }) => count(missed), true],
        ...ERRORS.map(errorsOfLength),
      ],
      ranges,
      `Actions by their own length, errors among detections ${which()} by that of the detection`,
    ),
  );
}

/** @type {(ap: object) => string} */
export const keyOf = (ap) => (String(state.tiou) in ap ? String(state.tiou) : thresholds(ap)[0]);

/** @param {Comparison} one */
export function compared({ names: [first, second], map, per_class: classes }) {
  const key = keyOf(map);
  const [before, after] = map[key];
  return card(
    element("h2", {}, "Compared with a second run"),
    element("p", {}, `mAP at ${key}: ${first} ${percent(before)}, ${second} ${percent(after)}.`),
    sortable(
      [
        ["Class", (row) => row.class],
        [first, (row) => row.first[key], percent],
        [second, (row) => row.second[key], percent],
        [
          "Difference",
          (row) => row.difference[key],
          (/** @type {number | null} */ value) =>
            value === null ? "–" : `${value > 0 ? "+" : value < 0 ? "−" : "±"}${(100 * Math.abs(value)).toFixed(1)}`,
        ],
      ],
      classes,
      "Average precision of every class; click a heading to sort",
      3,
    ),
  );
}

/**
 * @param {ListedVideo[]} rows
 * @param {string | undefined} key
 */
export function videoTable(rows, key) {
  /** @type {SortableColumn<ListedVideo>[]} */
  const columns = [
    [
      "Video",
      (row) => row.id,
      null,
      (row) => element("button", { class: "link", click: () => open(row.id, { tab: "timeline" }) }, row.id),
    ],
    ["Length", (row) => row.duration, (value) => (value === null ? "–" : clock(value, 0))],
    ["Detections", (row) => row.detections, (value) => (value === null ? "–" : count(value))],
    ["Actions", (row) => row.actions, (value) => (value === null ? "–" : count(value))],
  ];
  if (key) columns.splice(1, 0, [`AP at ${key}`, (row) => precisionOf(row.id)?.[key] ?? null, percent]);
  return sortable(columns, rows, key ? "Worst first; click a heading to sort" : "Click a heading to sort", key ? 1 : 0);
}
