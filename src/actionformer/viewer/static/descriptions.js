// @ts-check
// Sentences about what lies on the timeline.

import { KINDS, MISSED } from "./colours.js";
import { plural, score, span } from "./format.js";
import { isFound } from "./lanes.js";
import { state, thing } from "./state.js";

/** What the page calls a detection. */
export const detected = () => (state.project.labelling ? "draft" : "detection");

/** A sentence about a detection or an action.
 * @param {Thing} which
 */
export function describe({ type, index }) {
  const name = state.project.classes[thing({ type, index }).label];
  if (type === "action") {
    const one = state.actions[index];
    const missed = isFound(state, index) === false ? `; ${MISSED.mark} missed at tIoU ${state.tiou}` : "";
    return `${name}, annotated ${span(one.segment)}${missed}`;
  }
  const one = state.video.detections[index];
  const level = one.level !== null ? `, level ${one.level}` : "";
  const kind = one.kind ? `; ${KINDS[one.kind].mark} ${one.kind} at tIoU ${state.tiou}` : "";
  return `${state.project.labelling ? "Draft: " : ""}${name} ${score(one.score)}, ${span(one.segment)}${level}${kind}`;
}

/** The whole name of a class, which its lane may have no room for, and what the lane shows.
 * @param {Lane} lane
 */
export function describeLane({ label, detections, crowded, actions }) {
  const more = crowded.length ? `, ${crowded.length} of them in the strip beneath, where the lane is full` : "";
  const all = detections.length + crowded.length;
  const found = all || !state.project.labelling ? `${plural(all, detected())}${more}; ` : "";
  return `${state.project.classes[label]}: ${found}${plural(actions.length, "annotated action")}`;
}
