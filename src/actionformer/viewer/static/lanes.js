// Where everything lies on the timeline: lanes, one a class, with detections above and ground truth beneath.

export const SIZES = { row: 17, action: 13, gap: 9, ruler: 24, overview: 40, mostRows: 4 };

/** Detections that the filters let through: indices, best first. */
export function shownDetections({ video, minScore, hiddenClasses, hiddenKinds }) {
  const shown = [];
  video.detections.forEach(({ score, label, kind }, index) => {
    if (score >= minScore && !hiddenClasses.has(label) && !(kind && hiddenKinds.has(kind))) shown.push(index);
  });
  return shown;
}

/** Actions that the filters let through: indices. */
function shownActions({ actions, hiddenClasses, hiddenKinds }) {
  const shown = [];
  actions.forEach(({ label, found }, index) => {
    if (!hiddenClasses.has(label) && !(found === false && hiddenKinds.has("missed"))) shown.push(index);
  });
  return shown;
}

/** Lanes from top to bottom: {label, top, height, detections: [{index, row}], actions: [index], actionTop}.
 *
 * Those with ground truth come first, then by the best score; a class that shows nothing has no lane. */
export function layOut(state) {
  const lanes = new Map();
  const lane = (label) => {
    if (!lanes.has(label)) lanes.set(label, { label, detections: [], actions: [], rows: [] });
    return lanes.get(label);
  };
  for (const index of shownActions(state)) lane(state.actions[index].label).actions.push(index);
  for (const index of shownDetections(state)) {
    const { label, segment } = state.video.detections[index];
    const into = lane(label);
    into.detections.push({ index, row: freeRow(into.rows, segment) });
  }
  const best = ({ detections }) => (detections.length ? state.video.detections[detections[0].index].score : 0);
  const ordered = [...lanes.values()].sort(
    (a, b) => (b.actions.length > 0) - (a.actions.length > 0) || best(b) - best(a) || a.label - b.label,
  );
  let top = 0;
  for (const one of ordered) {
    one.top = top;
    one.actionTop = top + SIZES.gap / 2 + Math.max(one.rows.length, 1) * SIZES.row;
    one.height = one.actionTop - top + SIZES.action + SIZES.gap / 2;
    top += one.height;
  }
  return ordered;
}

/** The first row in which a segment overlaps nothing; where all are taken, the last. Rows are sorted lists. */
function freeRow(rows, [start, end]) {
  for (let row = 0; row < SIZES.mostRows; row += 1) {
    rows[row] ??= [];
    const place = firstAfter(rows[row], start);
    const before = rows[row][place - 1];
    const after = rows[row][place];
    if ((!before || before[1] <= start) && (!after || after[0] >= end)) {
      rows[row].splice(place, 0, [start, end]);
      return row;
    }
  }
  return SIZES.mostRows - 1;
}

function firstAfter(sorted, start) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle][0] < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What lies at a time and a height: {type, index} or null. `slack` in seconds makes thin things easy to hit. */
export function at(lanes, state, time, y, slack) {
  const lane = lanes.find(({ top, height }) => y >= top && y < top + height);
  if (!lane) return null;
  const covers = ([start, end]) => time >= start - slack && time <= end + slack;
  if (y >= lane.actionTop) {
    const index = lane.actions.findLast((one) => covers(state.actions[one].segment));
    return index === undefined ? null : { type: "action", index };
  }
  const row = Math.floor((y - lane.top - SIZES.gap / 2) / SIZES.row);
  const hit = lane.detections.find((one) => one.row === row && covers(state.video.detections[one.index].segment));
  return hit ? { type: "detection", index: hit.index } : null;
}

/** Everything that is shown, in the order of its start: [{type, index, start}]; what the arrow keys go through. */
export function inTime(state) {
  const detections = shownDetections(state).map((index) => ({
    type: "detection",
    index,
    start: state.video.detections[index].segment[0],
  }));
  const actions = shownActions(state).map((index) => ({
    type: "action",
    index,
    start: state.actions[index].segment[0],
  }));
  return [...detections, ...actions].sort(
    (a, b) => a.start - b.start || a.type.localeCompare(b.type) || a.index - b.index,
  );
}
