// What is chosen: one object, changed by `set` alone; whoever depends on a key is told once a frame or at once.

export const state = {
  project: null, // answer of api/project
  video: null, // answer of api/videos/ID, of the chosen tIoU
  tab: "timeline",
  time: 0, // seconds; where the playhead stands
  playing: false,
  rate: 1, // speed of playing, negative backwards
  view: [0, 1], // seconds; the span that timeline, scores and candidates show
  tiou: 0.5,
  corrected: false, // whether the ground truth is the corrected one
  minScore: 0.1,
  hiddenClasses: new Set(), // labels
  hiddenKinds: new Set(), // names of kinds
  levels: null, // pyramid levels of the detections, once they are known
  chosen: null, // {type: "detection" | "action", index}
  editing: false,
  actions: [], // the ground truth that is shown: as annotated, or as corrected
  theme: "light",
};

const listeners = [];

/** Calls `react(state)` after a `set` that changed one of `keys`. */
export function on(keys, react) {
  listeners.push({ keys, react });
}

/** Changes keys of the state and tells those that depend on them, each once. */
export function set(changes) {
  const changed = Object.keys(changes).filter((key) => state[key] !== changes[key]);
  if (changed.length === 0) return;
  Object.assign(state, changes);
  for (const { keys, react } of listeners) {
    if (keys.some((key) => changed.includes(key))) react(state);
  }
}

/** Wraps `draw` so that however often it is asked for, it runs once before the next frame is shown. */
export function oncePerFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/** The span of `seconds` around `centre`, moved into the video. */
export function spanAround(centre, seconds, duration) {
  const length = Math.min(Math.max(seconds, 0.2), duration);
  const start = Math.min(Math.max(centre - length / 2, 0), duration - length);
  return [start, start + length];
}

/** Wraps `compute` so that it computes only where one of its inputs is another than last time. */
export function remembering(compute) {
  let [last, result] = [null, null];
  return (...inputs) => {
    if (!last || inputs.some((input, i) => input !== last[i])) [last, result] = [inputs, compute(...inputs)];
    return result;
  };
}

/** Length of a video, seconds; at least as long as what is marked in it. */
export const durationOf = remembering((video, actions) => {
  const latest = (rows) => rows.reduce((most, { segment }) => Math.max(most, segment[1]), 0);
  return Math.max(video.duration ?? 0, latest(video.detections), latest(actions), 0.1);
});

/** Length of the chosen video, seconds. */
export const duration = () => (state.video ? durationOf(state.video, state.actions) : 1);

/** What a {type, index} stands for. */
export const thing = ({ type, index }) => (type === "detection" ? state.video.detections : state.actions)[index];
