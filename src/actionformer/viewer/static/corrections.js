// Corrections: the ground truth is dragged, relabelled, deleted and added to, undone, and saved as it changes.

import { Refused, get, send } from "./api.js";
import { byId, choice, element, notice, speak } from "./elements.js";
import { duration, on, set, spanAround, state } from "./state.js";
import { judge } from "./videos.js";

const SHORTEST = 0.05; // seconds
const NEW = 2; // seconds that a new action lasts
const WAIT = 400; // milliseconds without a change until it is saved

/** What is edited: id of the video, revision of what is saved, lists of actions before and after each change, what is
 * to be saved (null: nothing), the promise of a save under way, what is said of it. */
let session = null;
let timer = null;

const address = (id) => `api/corrections/${encodeURIComponent(id)}`;

export function startCorrections() {
  on(["project", "video", "editing", "chosen", "actions"], show);
  on(["video"], leaveWithVideo);
  addEventListener("beforeunload", (event) => session?.draft && event.preventDefault());
}

function leaveWithVideo() {
  if (!session || state.video?.id === session.id) return;
  clearTimeout(timer);
  save(session);
  session = null;
  set({ editing: false });
}

export async function toggleEditing() {
  if (!state.video) return;
  if (state.editing) return end();
  if (!state.project.has.corrections) return notice(whyNot());
  const { id } = state.video;
  try {
    const kept = await get(address(id));
    if (state.video.id !== id) return;
    session = {
      id,
      revision: kept.revision,
      past: [],
      future: [],
      draft: null,
      conflict: false,
      saving: null,
      said: "Nothing changed yet",
    };
    set({
      editing: true,
      actions: kept.actions.map(({ segment, label }) => ({ segment, label: toLabel(label) })),
      chosen: null,
    });
    speak("Correcting. N adds an action, Delete removes the chosen one, Control Z undoes.");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message);
  }
}

async function end() {
  clearTimeout(timer);
  const ending = session;
  await save(ending);
  if (ending.draft || session !== ending) return; // it could not be saved: nothing is thrown away
  session = null;
  set({ editing: false, chosen: null });
  await judge({ corrected: ending.revision > 0 });
}

/** Begins again from what is saved; what was changed here since is let go. */
async function startOver() {
  session = null;
  notice(null);
  set({ editing: false });
  await toggleEditing();
}

const whyNot = () =>
  state.project.why_not?.corrections ?? "Corrections need annotations: start with --annotations FILE.";
const toLabel = (label) => (typeof label === "number" ? label : state.project.classes.indexOf(label));

/** Puts a new list of actions in place, remembering the old one; `chosen` is an index into it. */
function change(actions, chosen, words) {
  session.past.push(state.actions);
  session.future = [];
  put(actions, chosen);
  speak(words);
}

function put(actions, chosen) {
  set({ actions, chosen: chosen === null ? null : { type: "action", index: chosen } });
  session.draft = actions;
  session.said = "Not saved yet";
  clearTimeout(timer);
  timer = setTimeout(save, WAIT, session);
  show();
}

export function undo() {
  if (!session?.past.length) return;
  session.future.push(state.actions);
  put(session.past.pop(), null);
  speak("Undone");
}

export function redo() {
  if (!session?.future.length) return;
  session.past.push(state.actions);
  put(session.future.pop(), null);
  speak("Redone");
}

async function save(one) {
  await one.saving; // one after the other: each needs the revision of the one before
  const actions = one.draft;
  if (!actions) return;
  one.said = "Saving…";
  show();
  one.saving = upload(one, actions);
  await one.saving;
  one.saving = null;
  show();
}

/** Sends them; what was changed meanwhile stays to be saved, and so does what was refused. */
async function upload(one, actions) {
  try {
    const content = { actions: actions.map(({ segment, label }) => ({ segment, label })), revision: one.revision };
    one.revision = (await send("PUT", address(one.id), content)).revision;
    if (one.draft === actions) one.draft = null;
    one.said = one.draft ? "Not saved yet" : "Saved";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    one.conflict = error.status === 409;
    one.said = one.conflict ? "Not saved: someone else changed this video." : `Not saved: ${error.message}`;
    notice(one.said);
  }
}

const chosenAction = () => (state.editing && state.chosen?.type === "action" ? state.chosen.index : null);

const replaced = (index, action) => state.actions.map((one, i) => (i === index ? { ...one, ...action } : one));

/** A new action from the playhead on, of the class of what is chosen, or of the last action before. */
export function add() {
  if (!state.editing) return;
  const before = state.actions.filter((one) => one.segment[0] <= state.time).at(-1);
  const label = chosenAction() === null ? (before?.label ?? 0) : state.actions[chosenAction()].label;
  const end = Math.min(state.time + NEW, duration());
  insert({ segment: [Math.min(state.time, end - SHORTEST), end], label }, "Action added");
}

/** The chosen detection becomes an action. */
export function duplicate() {
  if (!state.editing || state.chosen?.type !== "detection") return;
  const { segment, label } = state.video.detections[state.chosen.index];
  insert({ segment: [...segment], label }, "The detection is an action now");
}

function insert(action, words) {
  change([...state.actions, action], state.actions.length, words);
}

export function remove() {
  const index = chosenAction();
  if (index !== null)
    change(
      state.actions.filter((_, i) => i !== index),
      null,
      "Action deleted",
    );
}

/** Puts the start or the end of the chosen action at the playhead, if it keeps some length. */
export function nudge(edge) {
  const index = chosenAction();
  if (index === null) return;
  const [start, end] = state.actions[index].segment;
  const segment =
    edge === "start" ? [Math.min(state.time, end - SHORTEST), end] : [start, Math.max(state.time, start + SHORTEST)];
  change(replaced(index, { segment }), index, `The ${edge} is at the playhead`);
}

function relabel(label) {
  const index = chosenAction();
  if (index !== null) change(replaced(index, { label }), index, `Now ${state.project.classes[label]}`);
}

/** Dragging an action: its edge if `time` is within `slack` seconds of one, else the whole. */
export function beginDrag(index, time, slack) {
  const before = state.actions;
  const [start, end] = before[index].segment;
  const edge = Math.abs(time - start) <= slack ? "start" : Math.abs(time - end) <= slack ? "end" : "whole";
  return {
    move(shift) {
      set({
        actions: replaced(index, { segment: dragged([start, end], edge, shift) }),
        chosen: { type: "action", index },
      });
    },
    end(moved) {
      if (!moved) return;
      session.past.push(before);
      session.future = [];
      put(state.actions, index);
    },
  };
}

function dragged([start, end], edge, shift) {
  const last = duration();
  if (edge === "start") return [Math.min(Math.max(start + shift, 0), end - SHORTEST), end];
  if (edge === "end") return [start, Math.max(Math.min(end + shift, last), start + SHORTEST)];
  return spanAround((start + end) / 2 + shift, end - start, last);
}

function show() {
  const place = byId("corrections");
  place.classList.toggle("idle", !session);
  if (!state.video) return place.replaceChildren();
  if (!session) {
    const button = element(
      "button",
      { id: "edit", click: toggleEditing, disabled: !state.project.has.corrections },
      "Correct the annotations",
    );
    return place.replaceChildren(...beside(), button);
  }
  const focused = document.activeElement?.id;
  place.replaceChildren(
    element("button", { id: "edit", class: "primary", click: toggleEditing }, "Done"),
    tool("add", "Add", add),
    tool("delete", "Delete", remove, chosenAction() === null),
    tool("accept", "Detection → action", duplicate, state.chosen?.type !== "detection"),
    tool("undo", "Undo", undo, session.past.length === 0),
    tool("redo", "Redo", redo, session.future.length === 0),
    ...label(),
    element("span", { id: "saved", class: "faint saved", role: "status" }, session.said),
    session.conflict ? tool("theirs", "Load their version", startOver) : "",
  );
  if (focused && place.contains(byId(focused))) byId(focused).focus();
}

/** Why nothing can be corrected, or by which ground truth a corrected video is judged. */
function beside() {
  if (!state.project.has.corrections) return [element("span", { class: "faint" }, whyNot())];
  if (!state.video.corrected) return [];
  const truths = [
    ["annotated", "as annotated"],
    ["corrected", "as corrected"],
  ];
  const shown = state.corrected ? "corrected" : "annotated";
  const change = (value) => judge({ corrected: value === "corrected" });
  return [
    element("label", { class: "field" }, "Ground truth", choice(truths, shown, change, { id: "truth" })),
  ];
}

const tool = (id, text, act, disabled = false) => element("button", { id, click: act, disabled }, text);

function label() {
  const index = chosenAction();
  if (index === null)
    return [element("span", { class: "faint" }, "Choose an action beneath the detections to drag or change it.")];
  const classes = state.project.classes.map((name, i) => [i, name]);
  return [
    element(
      "label",
      { class: "field" },
      "Label",
      choice(classes, state.actions[index].label, (value) => relabel(Number(value)), { id: "label" }),
    ),
  ];
}
