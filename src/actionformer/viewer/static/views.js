// What the views beside the timeline share: they compute when they are looked at, and say why they cannot.

import { Refused } from "./api.js";
import { loading, words } from "./elements.js";
import { on, state } from "./state.js";

/** Why a view that computes with the network has nothing to show, or null if it has. */
export function whyNoNetwork() {
  const { has, why_not: why = {} } = state.project;
  if (!has.run) return why.run ?? "This needs a run: start `actionformer view` with its directory instead of detections.";
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

/** Shows `text` and a wheel in `place` until `compute` is done; its refusal is shown in its stead. Gives its answer or null. */
export async function filled(place, text, compute) {
  const wait = setTimeout(() => place.replaceChildren(loading(text)), 150);
  try {
    const answer = await compute();
    clearTimeout(wait);
    return answer;
  } catch (error) {
    clearTimeout(wait);
    if (!(error instanceof Refused)) throw error;
    place.replaceChildren(words(error.message));
    return null;
  }
}

