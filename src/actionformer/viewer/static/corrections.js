// @ts-check
// Corrections: the ground truth is dragged, relabelled, deleted and added to, undone, and saved as it changes.

import { Refused } from "./api.js";
import { begin, catchUp, isSaved, save, unsaved } from "./corrections_saving.js";
import { byId, choice, element, notice, prose, speak } from "./elements.js";
import { NOT_YET, duration, on, set, state } from "./state.js";
import { judge } from "./videos.js";

const SHORTEST = 0.05; // seconds
const NEW = 2; // seconds that a new action lasts
const WAIT = 400; // milliseconds without a change until it is saved
const CHOOSE = "Choose an action beneath the detections to drag or change it.";

/** What is edited.
 * @type {Session}
 */
let session = NOT_YET;
let timer = 0;
export function startCorrections() {
  on(["project", "video", "editing", "chosen"], show);
  on(["video"], followVideo);
  addEventListener("beforeunload", (event) => {
    if (unsaved.size || (session && !isSaved(session))) event.preventDefault();
  });
}

/** Another video ends editing; the same one, opened again, is still edited. */
function followVideo() {
  if (!session) return;
  if (state.video?.id === session.id) return set({ actions: session.actions });
  const left = session;
  session = NOT_YET;
  set({ editing: false });
  if (!isSaved(left)) leave(left);
}

/** Saves what was left; what cannot be saved is kept until someone comes back to it.
 * @param {Session} one
 */
async function leave(one) {
  unsaved.set(one.id, one);
  clearTimeout(timer);
  await save(one, show);
  if (session === one || isSaved(one)) return;
  notice(`The corrections of ${one.id} are kept on this page only. ${one.said} To go on, correct that video again.`);
}

export async function toggleEditing() {
  if (!state.video) return;
  if (state.editing) return end();
  if (!state.project.has.corrections) return notice(whyNot());
  const { id } = state.video;
  try {
    const begun = unsaved.get(id) ?? (await begin(id));
    if (state.video.id !== id || session) return;
    session = begun;
    unsaved.delete(id);
    notice(null);
    set({ editing: true, actions: session.actions, chosen: null });
    if (!isSaved(session)) save(session, show);
    speak("Correcting. N adds an action, Delete removes the chosen one, Control Z undoes.");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message);
  }
}

async function end() {
  clearTimeout(timer);
  const ending = session;
  await save(ending, show);
  if (!isSaved(ending) || session !== ending) return; // it could not be saved: nothing is thrown away
  session = NOT_YET;
  set({ editing: false, chosen: null });
  await judge({ corrected: ending.revision > 0 });
}

/** Begins again from what is saved; what was changed here since is let go. */
async function loadTheirs() {
  session = NOT_YET;
  set({ editing: false });
  await toggleEditing();
}

/** Saves what is here over what someone else saved. */
async function keepMine() {
  const one = session;
  await catchUp(one);
  await save(one, show);
}

const whyNot = () =>
  state.project.why_not?.corrections ?? "Corrections need annotations: start with --annotations FILE.";
/** Puts a new list of actions in place, remembering the old one; `chosen` is an index into it.
 * @param {Action[]} actions
 * @param {number | null} chosen
 * @param {string} words
 */
function change(actions, chosen, words) {
  session.past.push(session.actions);
  session.future = [];
  put(actions, chosen);
  speak(words);
}

/**
 * @param {Action[]} actions
 * @param {number | null} chosen
 */
function put(actions, chosen) {
  session.actions = actions;
  if (!session.conflict) session.said = "Not saved yet.";
  set({ actions, chosen: chosen === null ? null : { type: "action", index: chosen } });
  clearTimeout(timer);
  timer = setTimeout(save, WAIT, session, show);
  show();
}

export function undo() {
  if (!session?.past.length) return;
  session.future.push(session.actions);
  put(session.past.pop() ?? [], null);
  speak("Undone");
}

export function redo() {
  if (!session?.future.length) return;
  session.past.push(session.actions);
  put(session.future.pop() ?? [], null);
  speak("Redone");
}

const chosenAction = () => (state.editing && state.chosen?.type === "action" ? state.chosen.index : null);

/** @type {(index: number, action: Partial<Action>) => Action[]} */
const replaced = (index, action) => state.actions.map((one, i) => (i === index ? { ...one, ...action } : one));

/** A new action from the playhead on, of the class of what is chosen, or of the last action before. */
export function add() {
  if (!state.editing) return;
  const begun = state.actions.filter((one) => one.segment[0] <= state.time);
  const before = begun.sort((a, b) => a.segment[0] - b.segment[0]).at(-1);
  const chosen = chosenAction();
  const label = chosen === null ? (before?.label ?? 0) : state.actions[chosen].label;
  const end = Math.min(state.time + NEW, duration());
  insert({ segment: [Math.min(state.time, end - SHORTEST), end], label }, "Action added");
}

/** The chosen detection becomes an action. */
export function duplicate() {
  if (!state.editing || state.chosen?.type !== "detection") return;
  const { segment, label } = state.video.detections[state.chosen.index];
  insert({ segment: [...segment], label }, "The detection is an action now");
}

/**
 * @param {Action} action
 * @param {string} words
 */
function insert(action, words) {
  change([...state.actions, action], state.actions.length, words);
}

export function remove() {
  const index = chosenOrSaid();
  if (index !== null)
    change(
      state.actions.filter((_, i) => i !== index),
      null,
      "Action deleted",
    );
}

/** The chosen action; where there is none, that is said. */
function chosenOrSaid() {
  const index = chosenAction();
  if (index === null && state.editing) {
    speak(`No action is chosen. ${CHOOSE}`);
    byId("choose").textContent = `No action is chosen. ${CHOOSE}`;
  }
  return index;
}

/** Puts the start or the end of the chosen action at the playhead, if it keeps some length.
 * @param {Edge} edge
 */
export function nudge(edge) {
  const index = chosenOrSaid();
  if (index === null) return;
  const [start, end] = state.actions[index].segment;
  /** @type {Span} */
  const segment =
    edge === "start" ? [Math.min(state.time, end - SHORTEST), end] : [start, Math.max(state.time, start + SHORTEST)];
  change(replaced(index, { segment }), index, `The ${edge} is at the playhead`);
}

/** @param {number} label */
function relabel(label) {
  const index = chosenAction();
  if (index !== null) change(replaced(index, { label }), index, `Now ${state.project.classes[label]}`);
}

/** Dragging an action by its `edge`, "start" or "end", or the "whole"; it counts once `end` is called. What is changed by
 * other means meanwhile ends it.
 * @param {number} index
 * @param {Edge} edge
 * @returns {Drag}
 */
export function beginDrag(index, edge) {
  const { segment } = state.actions[index];
  const last = duration();
  const begun = session.actions;
  return {
    move(shift) {
      if (session?.actions !== begun) return;
      if (chosenAction() !== index) set({ chosen: { type: "action", index } });
      set({ actions: replaced(index, { segment: dragged(segment, edge, shift, last) }) });
    },
    end() {
      if (session?.actions === begun) change(state.actions, index, "Action moved");
    },
  };
}

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

function show() {
  const place = byId("corrections");
  place.classList.toggle("idle", !session);
  if (!state.video) return place.replaceChildren();
  if (!session) return place.replaceChildren(...beside(), beginning());
  const focused = document.activeElement?.id;
  const none = chosenAction() === null;
  place.replaceChildren(
    element("button", { id: "edit", class: "primary", click: toggleEditing }, "Done"),
    tool("add", "Add", add),
    tool("delete", "Delete", remove, none),
    tool("starts", "Starts here", () => nudge("start"), none),
    tool("ends", "Ends here", () => nudge("end"), none),
    tool("accept", "Detection → action", duplicate, state.chosen?.type !== "detection"),
    tool("undo", "Undo", undo, session.past.length === 0),
    tool("redo", "Redo", redo, session.future.length === 0),
    ...label(),
    element("span", { id: "saved", class: "faint saved", role: "status" }, prose(session.said)),
    session.conflict ? tool("theirs", "Load their version", loadTheirs) : "",
    session.conflict ? tool("mine", "Keep mine", keepMine) : "",
  );
  if (focused && place.contains(byId(focused))) byId(focused).focus();
}

function beginning() {
  const text = unsaved.has(state.video.id) ? "Go on correcting (not saved yet)" : "Correct the annotations";
  return element("button", { id: "edit", click: toggleEditing, disabled: !state.project.has.corrections }, text);
}

/** Why nothing can be corrected, or by which ground truth a corrected video is judged. */
function beside() {
  if (!state.project.has.corrections) return [element("span", { class: "faint" }, whyNot())];
  if (!state.video.corrected) return [];
  /** @type {[string, string][]} */
  const truths = [
    ["annotated", "as annotated"],
    ["corrected", "as corrected"],
  ];
  const shown = state.corrected ? "corrected" : "annotated";
  const change = (/** @type {string} */ value) => judge({ corrected: value === "corrected" });
  return [
    element("span", { class: "faint" }, "This video has been corrected."),
    element("label", { class: "field" }, "Ground truth", choice(truths, shown, change, { id: "truth" })),
  ];
}

/** @type {(id: string, text: string, act: () => void, disabled?: boolean) => HTMLElement} */
const tool = (id, text, act, disabled = false) => element("button", { id, click: act, disabled }, text);

function label() {
  const index = chosenAction();
  if (index === null) return [element("span", { id: "choose", class: "faint" }, CHOOSE)];
  const classes = state.project.classes.map((name, i) => /** @type {[number, string]} */ ([i, name]));
  return [
    element(
      "label",
      { class: "field" },
      "Label",
      choice(classes, state.actions[index].label, (value) => relabel(Number(value)), { id: "label" }),
    ),
  ];
}
