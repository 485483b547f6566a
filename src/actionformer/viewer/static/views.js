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

/** Calls `fill()` when the view's tab is shown and any of `keys` has changed since it was filled last. */
export function whenShown(tab, keys, fill) {
  let stale = true;
  const update = () => {
    if (state.tab !== tab || !state.project || !stale) return;
    stale = false;
    fill();
  };
  on(keys, () => {
    stale = true;
    update();
  });
  on(["tab"], update);
}

/** What `compute` gives, or null if something else was asked for since or it was refused; then `place` says why.
 *
 * Until it is there, `place` shows `text` and a wheel; with `keep` what it showed before, faintly. */
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
    return null;
  } finally {
    clearTimeout(slow);
    place.removeAttribute("aria-busy");
  }
}

/** The same function, run when `milliseconds` have passed without another call. */
export function delayed(act, milliseconds) {
  let timer = null;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}
