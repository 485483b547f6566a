// @ts-check
// Where everything lies on the timeline: lanes, one a class, with detections above and ground truth beneath.

import { remembering } from "./state.js";

export const SIZES = { row: 17, action: 15, strip: 9, gap: 9, ruler: 24, overview: 40, mostRows: 8 };

/** Whether a class and a score reach the threshold.
 * @type {(minScore: LeastScore, which: {label: number, score: number}) => boolean}
 */
export const reaches = (minScore, { label, score }) =>
  score >= (typeof minScore === "number" ? minScore : minScore[label]);

/** Detections that the filters let through, and drafts that are not decided: indices, best first.
 * @type {(video: Video, minScore: LeastScore, hiddenClasses: Set<number>, hiddenKinds: Set<string>, decided: number[]) => number[]}
 */
const passing = remembering((video, minScore, hiddenClasses, hiddenKinds, decided) => {
  /** @type {number[]} */
  const shown = [];
  const gone = new Set(decided);
  video.detections.forEach((one, index) => {
    const hidden = gone.has(index) || hiddenClasses.has(one.label) || (one.kind && hiddenKinds.has(one.kind));
    if (!hidden && reaches(minScore, one)) shown.push(index);
  });
  return shown;
});

/** @type {(state: Shown) => number[]} */
export const shownDetections = ({ video, minScore, hiddenClasses, hiddenKinds, decided }) =>
  passing(video, minScore, hiddenClasses, hiddenKinds, decided);

/** Action -> the score of the detection that finds it.
 * @type {(video: Video) => Map<number | null, number>}
 */
const finders = remembering(
  (video) =>
    new Map(video.detections.filter(({ kind }) => kind === "true positive").map((one) => [one.match, one.score])),
);

/** Whether an action is found by a detection that passes the score threshold; null where nobody has judged it.
 * @param {Shown} state
 * @param {number} index
 * @returns {boolean | null}
 */
export function isFound({ video, actions, minScore }, index) {
  if (typeof actions[index].found !== "boolean") return null;
  return reaches(minScore, { label: actions[index].label, score: finders(video).get(index) ?? -1 });
}

/** Whether a {type, index} is a wrong detection or a missed action.
 * @param {Shown} state
 * @param {Thing} which
 */
export function isError(state, { type, index }) {
  if (type === "action") return isFound(state, index) === false;
  const { kind } = state.video.detections[index];
  return Boolean(kind) && kind !== "true positive";
}

/** Actions that the filters let through: indices.
 * @param {Shown} state
 * @returns {number[]}
 */
function shownActions(state) {
  const { actions, hiddenClasses, hiddenKinds } = state;
  const hidden = (/** @type {number} */ index) => hiddenKinds.has("missed") && isFound(state, index) === false;
  return [...actions.keys()].filter((index) => !hiddenClasses.has(actions[index].label) && !hidden(index));
}

/** @type {(keyof Shown)[]} */
const SHOWN = ["project", "video", "actions", "minScore", "hiddenClasses", "hiddenKinds", "decided", "running"];

/** What depends on all that decides what the timeline shows is computed once for it.
 * @template Result
 * @param {(state: Shown) => Result} compute
 * @returns {(state: Shown) => Result}
 */
function ofWhatIsShown(compute) {
  const once = remembering((/** @type {any[]} */ ...values) =>
    compute(/** @type {any} */ (Object.fromEntries(SHOWN.map((key, i) => [key, values[i]])))),
  );
  return (state) => once(...SHOWN.map((key) => state[key]));
}

/** Detections by class in rows, best first.
 * @type {(video: Video, shown: number[]) => Map<number, {rows: Span[][], placed: Placed[], crowded: number[]}>}
 */
const rowsOfDetections = remembering((video, shown) => {
  /** @type {Map<number, {rows: Span[][], placed: Placed[], crowded: number[]}>} */
  const byLabel = new Map();
  for (const index of shown) {
    const { label, segment } = video.detections[index];
    const { rows, placed, crowded } = byLabel.get(label) ?? { rows: [], placed: [], crowded: [] };
    byLabel.set(label, { rows, placed, crowded });
    const row = freeRow(rows, segment, SIZES.mostRows);
    if (row === null) crowded.push(index);
    else placed.push({ index, row });
  }
  return byLabel;
});

/** Lanes from top to bottom.
 *
 * Those with ground truth come first, then by the best score; where videos are labelled, they stand in the order of
 * classes, as lanes that move are hard to hit. A class that shows nothing has no lane. Detections that find no row are
 * crowded: a strip beneath the rows has room for how many they are. Every action has a row. */
export const layOut = ofWhatIsShown((state) => {
  const detected = rowsOfDetections(state.video, shownDetections(state));
  /** @type {Map<number, Lane>} */
  const lanes = new Map();
  const lane = (/** @type {number} */ label) => {
    const one = lanes.get(label) ?? emptyLane(label);
    lanes.set(label, one);
    return one;
  };
  for (const [label, { rows, placed, crowded }] of detected) {
    Object.assign(lane(label), { detections: placed, crowded, rows: rows.length });
  }
  for (const index of shownActions(state)) {
    const { label, segment } = state.actions[index];
    const { actions, actionRows } = lane(label);
    actions.push({ index, row: /** @type {number} */ (freeRow(actionRows, segment)) });
  }
  for (const { label, start } of state.running) {
    const one = lane(label);
    one.running = { start, row: /** @type {number} */ (freeRow(one.actionRows, [start, Infinity])) };
  }
  const best = (/** @type {Lane} */ { detections }) =>
    detections.length ? state.video.detections[detections[0].index].score : 0;
  const byWorth = (/** @type {Lane} */ a, /** @type {Lane} */ b) =>
    Number(b.actions.length > 0) - Number(a.actions.length > 0) || best(b) - best(a);
  const ordered = [...lanes.values()].sort(
    (a, b) => (state.project.labelling ? 0 : byWorth(a, b)) || a.label - b.label,
  );
  let top = 0;
  for (const one of ordered) {
    one.top = top;
    one.crowdedTop = top + SIZES.gap / 2 + one.rows * SIZES.row;
    one.actionTop = one.crowdedTop + (one.crowded.length ? SIZES.strip : 0);
    one.height = one.actionTop - top + Math.max(one.actionRows.length, 1) * SIZES.action + SIZES.gap / 2;
    top += one.height;
  }
  return ordered;
});

/** @type {(label: number) => Lane} */
const emptyLane = (label) => ({
  label,
  top: 0,
  height: 0,
  rows: 1,
  detections: [],
  crowded: [],
  crowdedTop: 0,
  actions: [],
  actionTop: 0,
  actionRows: [],
  running: null,
});

/** The first of `most` rows in which a segment overlaps nothing, where it is put; null if all are taken.
 * @param {Span[][]} rows
 * @param {Span} segment
 * @param {number} [most]
 */
function freeRow(rows, [start, end], most = Infinity) {
  for (let row = 0; row < most; row += 1) {
    rows[row] ??= [];
    const place = firstAfter(rows[row], start);
    const before = rows[row][place - 1];
    const after = rows[row][place];
    if ((!before || before[1] <= start) && (!after || after[0] >= end)) {
      rows[row].splice(place, 0, [start, end]);
      return row;
    }
  }
  return null;
}

/** Where among sorted segments that do not overlap the first stands that begins at `start` or later.
 * @param {Span[]} sorted
 * @param {number} start
 */
function firstAfter(sorted, start) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle][0] < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lane at a height.
 * @type {(lanes: Lane[], y: number) => Lane | null}
 */
export const laneAt = (lanes, y) => lanes.find(({ top, height }) => y >= top && y < top + height) ?? null;

/** What lies at a time and a height: {type, index} or null. `slack` in seconds makes thin things easy to hit.
 * @param {Lane[]} lanes
 * @param {Shown} state
 * @param {number} time
 * @param {number} y
 * @param {number} slack
 * @returns {Thing | null}
 */
export function at(lanes, state, time, y, slack) {
  const lane = laneAt(lanes, y);
  if (!lane) return null;
  const covers = (/** @type {number} */ within, /** @type {Action} */ { segment: [start, end] }) =>
    time >= start - within && time <= end + within;
  /** @type {(type: Thing["type"], rows: Action[], indices: number[]) => Thing | null} */
  const hit = (type, rows, indices) => {
    const index = [0, slack]
      .map((within) => indices.find((one) => covers(within, rows[one])))
      .find((one) => one !== undefined);
    return index === undefined ? null : { type, index };
  };
  const inRow = (/** @type {Placed[]} */ placed, /** @type {number} */ row) =>
    placed.filter((one) => one.row === row).map(({ index }) => index);
  if (y >= lane.actionTop) {
    const row = Math.floor((y - lane.actionTop) / SIZES.action);
    return hit("action", state.actions, inRow(lane.actions, Math.min(row, lane.actionRows.length - 1)));
  }
  const { detections } = state.video;
  if (y >= lane.crowdedTop) return hit("detection", detections, lane.crowded);
  return hit("detection", detections, inRow(lane.detections, Math.floor((y - lane.top - SIZES.gap / 2) / SIZES.row)));
}

/** What a drag at a time takes hold of: the "start" or the "end" of a segment within `slack` seconds, or the "whole",
 * for which at least the middle third is left.
 * @param {Span} segment
 * @param {number} time
 * @param {number} slack
 * @returns {Edge}
 */
export function gripAt([start, end], time, slack) {
  const near = Math.min(slack, (end - start) / 3);
  if (time <= start + near) return "start";
  return time >= end - near ? "end" : "whole";
}

/** Everything that is shown, in the order of its start: [{type, index, start}]; what the arrow keys go through. */
export const inTime = ofWhatIsShown((state) => {
  /** @type {(type: Thing["type"], rows: Action[], indices: number[]) => (Thing & {start: number})[]} */
  const listed = (type, rows, indices) => indices.map((index) => ({ type, index, start: rows[index].segment[0] }));
  return [
    ...listed("detection", state.video.detections, shownDetections(state)),
    ...listed("action", state.actions, shownActions(state)),
  ].sort((a, b) => a.start - b.start || a.type.localeCompare(b.type) || a.index - b.index);
});
