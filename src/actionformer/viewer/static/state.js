// @ts-check
// What is chosen: one object, changed by `set` alone; whoever depends on a key is told once a frame or at once.

/** Stands for what is there before anybody reads it: what needs it begins when it has come.
 * @type {any}
 */
export const NOT_YET = null;

/** @type {State} */
export const state = {
  project: NOT_YET, // answer of api/project
  precision: null, // answer of api/precision
  video: NOT_YET, // answer of api/videos/ID, of the chosen tIoU
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
  decided: [], // drafts that were accepted or rejected: indices of detections
  done: false, // whether all actions of the video are labelled
  running: [], // actions that have begun and not ended: {label, start}
  saving: null, // {said, conflict} of what is edited
  looping: false, // whether what is chosen is played over and over
  draftOrder: "time",
  theme: "light",
};

/** @type {{keys: (keyof State)[], react: (state: State) => void}[]} */
const listeners = [];

/** Calls `react(state)` after a `set` that changed one of `keys`.
 * @param {(keyof State)[]} keys
 * @param {(state: State) => void} react
 */
export function on(keys, react) {
  listeners.push({ keys, react });
}

/** Changes keys of the state and tells those that depend on them, each once.
 * @param {Partial<State>} changes
 */
export function set(changes) {
  const changed = /** @type {(keyof State)[]} */ (Object.keys(changes)).filter((key) => state[key] !== changes[key]);
  if (changed.length === 0) return;
  Object.assign(state, changes);
  for (const { keys, react } of listeners) {
    if (keys.some((key) => changed.includes(key))) react(state);
  }
}

/** Wraps `draw` so that however often it is asked for, it runs once before the next frame is shown.
 * @param {() => void} draw
 * @returns {() => void}
 */
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

/** The span of `seconds` around `centre`, moved into the video.
 * @param {number} centre
 * @param {number} seconds
 * @param {number} duration
 * @returns {Span}
 */
export function spanAround(centre, seconds, duration) {
  const length = Math.min(Math.max(seconds, 0.2), duration);
  const start = Math.min(Math.max(centre - length / 2, 0), duration - length);
  return [start, start + length];
}

/** Wraps `compute` so that it computes only where one of its inputs is another than last time.
 * @template {any[]} Inputs
 * @template Result
 * @param {(...inputs: Inputs) => Result} compute
 * @returns {(...inputs: Inputs) => Result}
 */
export function remembering(compute) {
  /** @type {Inputs | null} */
  let last = null;
  /** @type {Result} */
  let result;
  return (...inputs) => {
    if (!last?.every((input, i) => input === inputs[i])) [last, result] = [inputs, compute(...inputs)];
    return result;
  };
}

/** Length of a video, seconds; at least as long as what is marked in it. */
export const durationOf = remembering((/** @type {Video} */ video, /** @type {Action[]} */ actions) => {
  const latest = (/** @type {Action[]} */ rows) => rows.reduce((most, { segment }) => Math.max(most, segment[1]), 0);
  return Math.max(video.duration ?? 0, latest(video.detections), latest(actions), 0.1);
});

/** Length of the chosen video, seconds. */
export const duration = () => (state.video ? durationOf(state.video, state.actions) : 1);

/** What a {type, index} stands for.
 * @type {(which: Thing) => Detection | Action}
 */
export const thing = ({ type, index }) => (type === "detection" ? state.video.detections : state.actions)[index];
