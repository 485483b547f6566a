// @ts-check
// What is done to actions: they are added, dragged, relabelled and deleted. A draft becomes an action by it.

import { hint } from "./elements.js";
import { seek } from "./player.js";
import { change, session } from "./session.js";
import { duration, set, state } from "./state.js";

export const SHORTEST = 0.05; // seconds
const NEW = 2; // seconds that a new action lasts
const FPS_OF_NO_VIDEO = 25;

/** Whether a detection is offered to be labelled.
 * @param {Thing | null} which
 */
export const isDraft = (which) => state.project.labelling && which?.type === "detection";

/** Whether it can be changed: an action, or a draft.
 * @param {Thing | null} which
 */
export const isEditable = (which) => state.editing && which !== null && (which.type === "action" || isDraft(which));

/** What is edited if something is changed, and the number of the action that is to change: of a draft a new one.
 * @param {Thing} which
 * @returns {{actions: Action[], decided: number[], index: number}}
 */
function grasped({ type, index }) {
  const { actions, decided } = session.now;
  if (type === "action") return { actions, decided, index };
  const { segment, label } = state.video.detections[index];
  const more = state.project.labelling ? [...decided, index] : decided;
  return { actions: [...actions, { segment: [...segment], label }], decided: more, index: actions.length };
}

/** @type {(actions: Action[], index: number, changes: Partial<Action>) => Action[]} */
const replaced = (actions, index, changes) => actions.map((one, i) => (i === index ? { ...one, ...changes } : one));

/** Changes an action or a draft.
 * @param {Thing} which
 * @param {Partial<Action>} changes
 * @param {string} words
 */
function alter(which, changes, words) {
  const { actions, decided, index } = grasped(which);
  change({ actions: replaced(actions, index, changes), decided }, { type: "action", index }, words);
}

/** A new action from the playhead on, of the class of what is chosen, or of the last action before. */
export function add() {
  if (!state.editing) return;
  const begun = state.actions.filter((one) => one.segment[0] <= state.time);
  const before = begun.sort((a, b) => a.segment[0] - b.segment[0]).at(-1);
  const label = isEditable(state.chosen) ? labelOfChosen() : (before?.label ?? 0);
  const end = Math.min(state.time + NEW, duration());
  insert({ segment: [Math.min(state.time, end - SHORTEST), end], label }, "Action added");
}

/** @param {Action} action
 * @param {string} words
 */
export function insert(action, words) {
  change({ actions: [...session.now.actions, action] }, { type: "action", index: session.now.actions.length }, words);
}

/** The chosen detection becomes an action. */
export function accept() {
  if (state.editing && state.chosen?.type === "detection") alter(state.chosen, {}, "The detection is an action now");
}

/** The chosen action is deleted, the chosen draft rejected. */
export function remove() {
  const which = chosenOrSaid();
  if (!which) return;
  const { actions, decided, index } = grasped(which);
  const rest = actions.filter((_, i) => i !== index);
  change({ actions: rest, decided }, null, which.type === "action" ? "Action deleted" : "Draft rejected");
}

/** What is chosen and can be changed; where there is nothing, that is said. */
export function chosenOrSaid() {
  if (isEditable(state.chosen)) return state.chosen;
  if (state.editing) {
    hint(`No action is chosen. ${state.project.labelling ? "Click one on the timeline, or press ↓." : CHOOSE}`);
  }
  return null;
}

export const CHOOSE = "Choose an action beneath the detections to drag or change it.";

/** @type {() => Action | null} */
const chosenThing = () => {
  if (!state.chosen) return null;
  return (state.chosen.type === "action" ? session.now.actions : state.video.detections)[state.chosen.index];
};

export const labelOfChosen = () => chosenThing()?.label ?? 0;

/** Puts the start or the end of what is chosen at a time, if it keeps some length.
 * @param {"start" | "end"} edge
 * @param {number} time
 * @param {string} words
 */
function put(edge, time, words) {
  const [which, one] = [chosenOrSaid(), chosenThing()];
  if (!which || !one) return;
  const [start, end] = one.segment;
  /** @type {Span} */
  const segment =
    edge === "start"
      ? [Math.max(Math.min(time, end - SHORTEST), 0), end]
      : [start, Math.min(Math.max(time, start + SHORTEST), Math.max(duration(), end))];
  alter(which, { segment }, words);
}

/** Puts an end of what is chosen at the playhead.
 * @param {"start" | "end"} edge
 */
export const nudge = (edge) => put(edge, state.time, `The ${edge} is at the playhead`);

/** Moves an end of what is chosen by frames, and shows the frame there while nothing plays.
 * @param {"start" | "end"} edge
 * @param {number} frames
 */
export function nudgeFrames(edge, frames) {
  const one = chosenThing();
  if (!one) return void chosenOrSaid();
  const at = one.segment[edge === "start" ? 0 : 1];
  put(edge, at + frames / (state.video.fps ?? FPS_OF_NO_VIDEO), `The ${edge} is a frame ${frames > 0 ? "later" : "earlier"}`);
  const moved = chosenThing()?.segment;
  if (moved && !state.playing) seek(moved[edge === "start" ? 0 : 1]);
}

/** @param {number} label */
export function relabel(label) {
  const which = chosenOrSaid();
  if (which) alter(which, { label }, `Now ${state.project.classes[label]}`);
}

/** Dragging an action or a draft by its `edge`, "start" or "end", or the "whole"; it counts once `end` is called. What
 * is changed by other means meanwhile ends it.
 * @param {Thing} which
 * @param {Edge} edge
 * @returns {Drag}
 */
export function beginDrag(which, edge) {
  const begun = session.now;
  const { actions, decided, index } = grasped(which);
  const { segment } = actions[index];
  const last = duration();
  /** @type {Thing} */
  const chosen = { type: "action", index };
  return {
    move(shift) {
      if (session?.now !== begun) return;
      const moved = replaced(actions, index, { segment: dragged(segment, edge, shift, last) });
      set({ actions: moved, decided, ...(isChosen(chosen) ? {} : { chosen }) });
    },
    end() {
      if (session?.now === begun) change({ actions: state.actions, decided }, chosen, "Action moved");
    },
  };
}

/** @type {(which: Thing) => boolean} */
const isChosen = ({ type, index }) => state.chosen?.type === type && state.chosen.index === index;

/**
 * @param {Span} segment
 * @param {Edge} edge
 * @param {number} shift
 * @param {number} last
 * @returns {Span}
 */
function dragged([start, end], edge, shift, last) {
  if (edge === "start") return [Math.min(Math.max(start + shift, 0), end - SHORTEST), end];
  if (edge === "end") return [start, Math.max(Math.min(end + shift, last), start + SHORTEST)];
  const moved = Math.min(Math.max(shift, -start), last - end);
  return [start + moved, end + moved];
}
