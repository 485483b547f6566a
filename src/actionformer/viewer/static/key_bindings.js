// @ts-check
// What every key does, where annotations are looked at and where videos are labelled.

import { openClasses } from "./classes.js";
import { accept, add, isDraft, nudge, nudgeFrames, remove } from "./corrections.js";
import { acceptAll, acceptAndGoOn, rejectAndGoOn, stepDrafts } from "./drafts.js";
import { byId } from "./elements.js";
import { moveThreshold } from "./filters.js";
import { doneAndOn, letGo, mark, markLast, markPicked, relabelPicked, stepVideos, toggleDone } from "./labelling.js";
import { isError } from "./lanes.js";
import { pan, showAll, showChosen, step, zoom } from "./navigation.js";
import { seek, shuttle, stepFrames, togglePlay } from "./player.js";
import { redo, toggleEditing, undo } from "./session.js";
import { duration, set, state } from "./state.js";
import { stepPicks } from "./suppression.js";
import { TABS, goTo } from "./tabs.js";
import { toggleTheme } from "./theme.js";
import { openList } from "./videos.js";

/** @type {(amount: number) => () => void} */
const by = (amount) => () => seek(state.time + amount);

/** [keys, what they do, function]; "Shift+" only where a key means something else with it.
 * @type {Binding[]}
 */
const PLAYING = [
  [[" "], "Play or pause", togglePlay],
  [["j"], "Play backwards; again: faster", () => shuttle(-1)],
  [["k"], "Stop", () => shuttle(0)],
  [["l"], "Play; again: faster", () => shuttle(1)],
  [["v"], "Play what is chosen over and over", () => set({ looping: !state.looping })],
  [["ArrowLeft", ","], "One frame back", () => stepFrames(-1)],
  [["ArrowRight", "."], "One frame on", () => stepFrames(1)],
  [["Shift+ArrowLeft"], "One second back", by(-1)],
  [["Shift+ArrowRight"], "One second on", by(1)],
  [["Home"], "To the beginning", () => seek(0)],
  [["End"], "To the end", () => seek(duration())],
];

/** @type {Binding[]} */
const TIMELINE = [
  [["+", "="], "Zoom in", () => zoom(0.5)],
  [["-"], "Zoom out", () => zoom(2)],
  [["0"], "The whole video", showAll],
  [["z"], "Zoom to what is chosen", showChosen],
  [["PageDown"], "Half a span on", () => pan(0.5)],
  [["PageUp"], "Half a span back", () => pan(-0.5)],
  [["s"], "Raise the score threshold", () => moveThreshold(0.05)],
  [["Shift+S"], "Lower the score threshold", () => moveThreshold(-0.05)],
];

/** @type {Binding[]} */
const HISTORY = [
  [["Control+z", "Meta+z"], "Undo", undo],
  [["Control+Shift+Z", "Meta+Shift+Z", "Control+y"], "Redo", redo],
];

/** @type {Binding[]} */
const CORRECTIONS = [
  [["e"], "Begin or end correcting", toggleEditing],
  [["n"], "New action at the playhead", add],
  [["c"], "The chosen detection becomes an action", accept],
  [["Delete", "Backspace"], "Delete the chosen action", remove],
  [["i"], "The chosen action starts at the playhead", () => nudge("start")],
  [["o"], "The chosen action ends at the playhead", () => nudge("end")],
  ...HISTORY,
];

const deleteOrReject = () => (isDraft(state.chosen) ? rejectAndGoOn() : remove());

/** @type {(from: number, to: number) => number[]} */
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** @type {Binding[]} */
const LABELLING = [
  ...range(1, 9).map(
    (digit) =>
      /** @type {Binding} */ ([
        [String(digit)],
        digit === 1 ? "An action of this class begins here; again: it ends here" : "",
        () => mark(digit - 1),
      ]),
  ),
  [["m"], "The same with the class of last time", markLast],
  [["t"], "The same with a class that you type", markPicked],
  [["Escape"], "Let go of what has begun", letGo],
  [["c"], "Another class for what is chosen", relabelPicked],
  [["n"], "New action at the playhead", add],
  [["Delete", "Backspace"], "Delete the chosen action", deleteOrReject],
  [["i"], "What is chosen starts at the playhead", () => nudge("start")],
  [["o"], "What is chosen ends at the playhead", () => nudge("end")],
  [["q"], "Its start one frame earlier", () => nudgeFrames("start", -1)],
  [["w"], "Its start one frame later", () => nudgeFrames("start", 1)],
  [["e"], "Its end one frame earlier", () => nudgeFrames("end", -1)],
  [["r"], "Its end one frame later", () => nudgeFrames("end", 1)],
  ...HISTORY,
];

/** @type {Binding[]} */
const DRAFTS = [
  [["Enter"], "Accept the chosen draft, on to the next", acceptAndGoOn],
  [["x"], "Reject the chosen draft, on to the next", rejectAndGoOn],
  [["]"], "Next draft", () => stepDrafts(1)],
  [["["], "Previous draft", () => stepDrafts(-1)],
  [["Shift+A"], "Accept all drafts that are shown", acceptAll],
];

/** @type {Binding[]} */
const VIDEOS = [
  [["f"], "This video is done, or is not", toggleDone],
  [["Shift+Enter"], "Done, and on to the next that is not", doneAndOn],
  [["Shift+ArrowDown"], "Next video", () => stepVideos(1)],
  [["Shift+ArrowUp"], "Previous video", () => stepVideos(-1)],
  [["g"], "Add and rename classes", openClasses],
];

/** @type {Binding[]} */
const PAGE = [
  [
    ["/"],
    "Search a video",
    () => {
      openList(true);
      byId("search").select();
    },
  ],
  [["d"], "Dark or light", toggleTheme],
  [["?"], "These keys", toggleHelp],
];

export function toggleHelp() {
  const help = byId("keys");
  if (help.open) help.close();
  else help.showModal();
}

/** @type {(what: string) => Binding[]} */
const stepping = (what) => [
  [["ArrowDown"], `Next ${what} or action`, () => step(1)],
  [["ArrowUp"], `Previous ${what} or action`, () => step(-1)],
];

/** Group -> its keys, where videos are labelled or annotations looked at.
 * @param {boolean} labelling
 * @returns {Record<string, Binding[]>}
 */
export function keyBindings(labelling) {
  if (labelling)
    return {
      Labelling: LABELLING,
      Drafts: DRAFTS,
      Videos: VIDEOS,
      Playing: PLAYING,
      Timeline: [...stepping("draft"), ...TIMELINE],
      Page: PAGE,
    };
  return {
    Playing: PLAYING,
    Timeline: [
      ...stepping("detection"),
      [["x", "]"], "Next error", () => step(1, isError)],
      [["Shift+X", "["], "Previous error", () => step(-1, isError)],
      ...TIMELINE,
    ],
    Candidates: [
      [["p"], "Next pick", () => stepPicks(1)],
      [["Shift+P"], "Previous pick", () => stepPicks(-1)],
    ],
    Corrections: CORRECTIONS,
    Page: [...TABS.map(({ id, name }, i) => /** @type {Binding} */ ([[String(i + 1)], name, () => goTo(id)])), ...PAGE],
  };
}
