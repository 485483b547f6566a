// @ts-check
// Drafts: detections that are offered to be accepted, mended or rejected, one after the other.

import { accept, isDraft, remove } from "./corrections.js";
import { hint } from "./elements.js";
import { plural } from "./format.js";
import { shownDetections } from "./lanes.js";
import { choose, showChosen } from "./navigation.js";
import { change, session } from "./session.js";
import { duration, set, spanAround, state } from "./state.js";

const THIN = 0.05; // of the span that is shown: a shorter draft is zoomed to, and as much is seen beside it
const NONE_LEFT =
  "No draft is left in this video. Shift Enter says that it is done and opens the next video that is not.";

/** Numbers of the drafts that are shown and not decided, in the order in which they are gone through. */
function toDecide() {
  const { detections } = state.video;
  const unsure = (/** @type {number} */ index) => Math.abs(detections[index].score - 0.5);
  const start = (/** @type {number} */ index) => detections[index].segment[0];
  const by = state.draftOrder === "unsure" ? unsure : start;
  return [...shownDetections(state)].sort((a, b) => by(a) - by(b) || a - b);
}

/** Goes to the next draft (or the one before) and plays it over and over.
 * @param {1 | -1} direction
 * @param {number | null} from the draft that it is next to; by default the chosen one, else the playhead
 */
export function stepDrafts(direction, from = isDraft(state.chosen) ? (state.chosen?.index ?? null) : null) {
  if (!state.editing) return;
  const drafts = toDecide();
  if (drafts.length === 0) {
    set({ looping: false, playing: false });
    return hint(NONE_LEFT);
  }
  goTo(drafts[next(drafts, direction, from)]);
}

/** Which of the drafts comes next; from the last on, the first.
 * @param {number[]} drafts
 * @param {1 | -1} direction
 * @param {number | null} from
 */
function next(drafts, direction, from) {
  const here = from === null ? -1 : drafts.indexOf(from);
  if (here < 0 && state.draftOrder === "time") {
    const after = drafts.findIndex((index) => state.video.detections[index].segment[0] >= state.time);
    return direction > 0 ? Math.max(after, 0) : ((after < 0 ? 0 : after) - 1 + drafts.length) % drafts.length;
  }
  return here < 0 ? 0 : (here + direction + drafts.length) % drafts.length;
}

/** @param {number} index */
function goTo(index) {
  choose({ type: "detection", index });
  const [start, end] = state.video.detections[index].segment;
  const [from, to] = state.view;
  const beside = THIN * (to - from);
  if (end - start < beside) showChosen();
  else if (start < from + beside || end > to - beside)
    set({ view: spanAround((start + end) / 2, Math.max(to - from, 1.5 * (end - start)), duration()) });
  set({ looping: true, playing: true, rate: Math.abs(state.rate) });
}

/** Decides about the chosen draft and goes on to the next; where none is chosen, it goes to one.
 * @param {() => void} act
 */
function decide(act) {
  if (!state.editing) return;
  if (!isDraft(state.chosen)) return stepDrafts(1);
  const following = followers();
  act();
  if (following === null) stepDrafts(1);
  else goTo(following);
}

/** The draft after the chosen one; null where there is no other. */
function followers() {
  const drafts = toDecide();
  const index = drafts[next(drafts, 1, state.chosen?.index ?? null)];
  return index === undefined || index === state.chosen?.index ? null : index;
}

export const acceptAndGoOn = () => decide(accept);
export const rejectAndGoOn = () => decide(remove);

/** All drafts that are shown become actions, in one step that can be undone. */
export function acceptAll() {
  if (!state.editing) return;
  const drafts = toDecide();
  if (drafts.length === 0) return hint(NONE_LEFT);
  const accepted = drafts.map((index) => {
    const { segment, label } = state.video.detections[index];
    return { segment: /** @type {Span} */ ([...segment]), label };
  });
  const { actions, decided } = session.now;
  set({ looping: false, playing: false });
  change(
    { actions: [...actions, ...accepted], decided: [...decided, ...drafts] },
    null,
    `${plural(drafts.length, "draft")} accepted`,
  );
}
