// @ts-check
// What the views beside the timeline share: they compute when they are looked at, and say why they cannot.

import { Refused } from "./api.js";
import { loading, words } from "./elements.js";
import { on, state } from "./state.js";

const PATIENCE = 150; // milliseconds until it is said that something takes a while

/** Why a view that computes with the network has nothing to show, or null if it has. */
export function whyNoNetwork() {
  const { has, why_not: why = {} } = state.project;
  if (!has.run)
    return why.run ?? "This needs a run: start `actionformer view` with its directory instead of detections.";
  if (!has.features) return why.features ?? "This needs features: start `actionformer view` with --features DIR.";
  return null;
}

/** Fills the view of a tab when it is shown and `keys` have changed since it was filled for what they were.
 *
 * Changes while it is shown are answered when `wait` milliseconds have passed without another. Where `fill` gives
 * false, or a promise of it, the view is not what was asked for, and is filled again at the next occasion. Gives a
 * function that says that something else has changed.
 * @param {string} tab
 * @param {(keyof State)[]} keys
 * @param {() => any} fill
 * @param {number} [wait]
 */
export function whenShown(tab, keys, fill, wait = 0) {
  let [wanted, filling, filledFor] = [1, 0, 0]; // numbers of changes
  const update = async () => {
    if (state.tab !== tab || !state.project || [filling, filledFor].includes(wanted)) return;
    const mine = (filling = wanted);
    try {
      if ((await fill()) !== false) filledFor = mine;
    } finally {
      if (filling === mine) filling = 0;
    }
  };
  const later = wait ? delayed(update, wait) : update;
  const changed = () => {
    wanted += 1;
    later();
  };
  on(keys, changed);
  on(["tab"], update);
  return changed;
}

/** What `compute` gives; null if something else was asked for since; false if it was refused, then `place` says why.
 *
 * Until it is there, `place` shows `text` and a wheel; with `keep` what it showed before, faintly.
 * @template Answer
 * @param {HTMLElement} place
 * @param {string} text
 * @param {() => Promise<Answer>} compute
 * @param {boolean} [keep]
 * @returns {Promise<Answer | false>}
 */
export async function filled(place, text, compute, keep = false) {
  const slow = setTimeout(() => {
    if (keep) place.setAttribute("aria-busy", "true");
    else place.replaceChildren(loading(text));
  }, PATIENCE);
  try {
    return await compute();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    place.replaceChildren(words(error.message));
    return false;
  } finally {
    clearTimeout(slow);
    place.removeAttribute("aria-busy");
  }
}

/** The same function, run when `milliseconds` have passed without another call.
 * @param {() => void} act
 * @param {number} milliseconds
 */
export function delayed(act, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}
