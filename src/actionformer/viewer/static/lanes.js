// Where everything lies on the timeline: lanes, one a class, with detections above and ground truth beneath.

import { remembering } from "./state.js";

export const SIZES = { row: 17, action: 15, strip: 9, gap: 9, ruler: 24, overview: 40, mostRows: 8 };

/** Detections that the filters let through: indices, best first. */
const passing = remembering((video, minScore, hiddenClasses, hiddenKinds) => {
  const shown = [];
  video.detections.forEach(({ score, label, kind }, index) => {
    if (score >= minScore && !hiddenClasses.has(label) && !(kind && hiddenKinds.has(kind))) shown.push(index);
  });
  return shown;
});

export const shownDetections = ({ video, minScore, hiddenClasses, hiddenKinds }) =>
  passing(video, minScore, hiddenClasses, hiddenKinds);

/** Action -> the score of the detection that finds it. */
const finders = remembering(
  (video) => new Map(video.detections.filter(({ kind }) => kind === "true").map((one) => [one.match, one.score])),
);

/** Whether an action is found by a detection that passes the score threshold; null where nobody has judged it. */
export function isFound({ video, actions, minScore }, index) {
  if (typeof actions[index].found !== "boolean") return null;
  return (finders(video).get(index) ?? -1) >= minScore;
}

/** Whether a {type, index} is a wrong detection or a missed action. */
export function isError(state, { type, index }) {
  if (type === "action") return isFound(state, index) === false;
  const { kind } = state.video.detections[index];
  return Boolean(kind) && kind !== "true";
}

/** Actions that the filters let through: indices. */
function shownActions(state) {
  const { actions, hiddenClasses, hiddenKinds } = state;
  const hidden = (index) => hiddenKinds.has("missed") && isFound(state, index) === false;
  return [...actions.keys()].filter((index) => !hiddenClasses.has(actions[index].label) && !hidden(index));
}

/** What depends on all that decides what the timeline shows is computed once for it. */
function ofWhatIsShown(compute) {
  const once = remembering((video, actions, minScore, hiddenClasses, hiddenKinds) =>
    compute({ video, actions, minScore, hiddenClasses, hiddenKinds }),
  );
  return (state) => once(state.video, state.actions, state.minScore, state.hiddenClasses, state.hiddenKinds);
}

/** Detections by class in rows: label -> {rows, placed: [{index, row}], crowded: [index]}, best first. */
const rowsOfDetections = remembering((video, shown) => {
  const byLabel = new Map();
  for (const index of shown) {
    const { label, segment } = video.detections[index];
    if (!byLabel.has(label)) byLabel.set(label, { rows: [], placed: [], crowded: [] });
    const { rows, placed, crowded } = byLabel.get(label);
    const row = freeRow(rows, segment, SIZES.mostRows);
    if (row === null) crowded.push(index);
    else placed.push({ index, row });
  }
  return byLabel;
});

/** Lanes from top to bottom: {label, top, height, detections: [{index, row}], crowded: [index], crowdedTop,
 * actions: [{index, row}], actionTop}.
 *
 * Those with ground truth come first, then by the best score; a class that shows nothing has no lane. Detections that
 * find no row are crowded: a strip beneath the rows has room for how many they are. Every action has a row. */
export const layOut = ofWhatIsShown((state) => {
  const detected = rowsOfDetections(state.video, shownDetections(state));
  const lanes = new Map();
  const lane = (label) => {
    if (!lanes.has(label)) lanes.set(label, { label, detections: [], crowded: [], actions: [], rows: 1, actionRows: [] });
    return lanes.get(label);
  };
  for (const [label, { rows, placed, crowded }] of detected) {
    Object.assign(lane(label), { detections: placed, crowded, rows: rows.length });
  }
  for (const index of shownActions(state)) {
    const { label, segment } = state.actions[index];
    const { actions, actionRows } = lane(label);
    actions.push({ index, row: freeRow(actionRows, segment) });
  }
  const best = ({ detections }) => (detections.length ? state.video.detections[detections[0].index].score : 0);
  const ordered = [...lanes.values()].sort(
    (a, b) => (b.actions.length > 0) - (a.actions.length > 0) || best(b) - best(a) || a.label - b.label,
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

/** The first of `most` rows in which a segment overlaps nothing, where it is put; null if all are taken. */
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

/** Where among sorted segments that do not overlap the first stands that begins at `start` or later. */
function firstAfter(sorted, start) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle][0] < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lane at a height. */
export const laneAt = (lanes, y) => lanes.find(({ top, height }) => y >= top && y < top + height) ?? null;

/** What lies at a time and a height: {type, index} or null. `slack` in seconds makes thin things easy to hit. */
export function at(lanes, state, time, y, slack) {
  const lane = laneAt(lanes, y);
  if (!lane) return null;
  const covers = (within, { segment: [start, end] }) => time >= start - within && time <= end + within;
  const hit = (type, rows, indices) => {
    const index = [0, slack]
      .map((within) => indices.find((one) => covers(within, rows[one])))
      .find((one) => one !== undefined);
    return index === undefined ? null : { type, index };
  };
  const inRow = (placed, row) => placed.filter((one) => one.row === row).map(({ index }) => index);
  if (y >= lane.actionTop) {
    const row = Math.floor((y - lane.actionTop) / SIZES.action);
    return hit("action", state.actions, inRow(lane.actions, Math.min(row, lane.actionRows.length - 1)));
  }
  const { detections } = state.video;
  if (y >= lane.crowdedTop) return hit("detection", detections, lane.crowded);
  return hit("detection", detections, inRow(lane.detections, Math.floor((y - lane.top - SIZES.gap / 2) / SIZES.row)));
}

/** What a drag at a time takes hold of: the "start" or the "end" of a segment within `slack` seconds, or the "whole",
 * for which at least the middle third is left. */
export function gripAt([start, end], time, slack) {
  const near = Math.min(slack, (end - start) / 3);
  if (time <= start + near) return "start";
  return time >= end - near ? "end" : "whole";
}

/** Everything that is shown, in the order of its start: [{type, index, start}]; what the arrow keys go through. */
export const inTime = ofWhatIsShown((state) => {
  const listed = (type, rows, indices) => indices.map((index) => ({ type, index, start: rows[index].segment[0] }));
  return [
    ...listed("detection", state.video.detections, shownDetections(state)),
    ...listed("action", state.actions, shownActions(state)),
  ].sort((a, b) => a.start - b.start || a.type.localeCompare(b.type) || a.index - b.index);
});
