// @ts-check
// Going about in a video: which span is shown, and what in it is chosen.

import { hint } from "./elements.js";
import { inTime } from "./lanes.js";
import { seek } from "./player.js";
import { duration, set, spanAround, state, thing } from "./state.js";
import { bringLane } from "./surface.js";

/** Zooms by `factor` (below 1: closer) around a time, which stays where it is.
 * @param {number} factor
 * @param {number} [centre]
 */
export function zoom(factor, centre = state.time) {
  const [start, end] = state.view;
  const length = Math.min(Math.max((end - start) * factor, 0.2), duration());
  const fixed = Math.min(Math.max(centre, start), end);
  const share = (fixed - start) / (end - start);
  set({ view: spanAround(fixed + (0.5 - share) * length, length, duration()) });
}

/** Moves the span by a share of its length.
 * @param {number} share
 */
export function pan(share) {
  const length = state.view[1] - state.view[0];
  set({ view: spanAround((state.view[0] + state.view[1]) / 2 + share * length, length, duration()) });
}

export const showAll = () => set({ view: [0, duration()] });

/** Zooms so that what is chosen fills a third of the timeline. */
export function showChosen() {
  if (!state.chosen) return;
  const [start, end] = thing(state.chosen).segment;
  set({ view: spanAround((start + end) / 2, Math.max(3 * (end - start), 1), duration()) });
}

/** Chooses the next (or previous) of what is shown, in time; `only(state, {type, index})` may leave some out.
 * @param {1 | -1} direction
 * @param {(state: Shown, which: Thing) => boolean} [only]
 */
export function step(direction, only = () => true) {
  const all = inTime(state).filter((one) => only(state, one));
  if (all.length === 0) return hint("Nothing of this kind is shown.");
  const { chosen } = state;
  const here = all.findIndex((one) => chosen && one.type === chosen.type && one.index === chosen.index);
  let next = here + direction;
  if (here < 0) {
    const after = all.findIndex((one) => one.start >= (chosen ? thing(chosen).segment[0] : state.time));
    next = direction > 0 ? after : (after < 0 ? all.length : after) - 1;
    if (next < 0) next = direction > 0 ? all.length - 1 : 0;
  }
  choose(all[Math.min(Math.max(next, 0), all.length - 1)]);
}

/** Chooses something and goes to its start.
 * @param {Thing} which
 */
export function choose({ type, index }) {
  const [start, end] = thing({ type, index }).segment;
  seek(start);
  if (end < state.view[0] || start > state.view[1]) {
    set({ view: spanAround((start + end) / 2, state.view[1] - state.view[0], duration()) });
  }
  set({ chosen: { type, index } });
  bringLane(thing({ type, index }).label);
}

/** While it plays, the span moves on with the playhead. */
export function follow() {
  const [start, end] = state.view;
  if (!state.playing || (state.time >= start && state.time <= end)) return;
  const ahead = state.rate < 0 ? end - start : 0;
  set({ view: spanAround(state.time - ahead + (end - start) / 2, end - start, duration()) });
}
