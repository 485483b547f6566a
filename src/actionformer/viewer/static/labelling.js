// @ts-check
// Labelling: actions begin and end at the press of a key while the video plays, and videos are done one after the other.

import { classColour } from "./colours.js";
import { openClasses, pickClass } from "./classes.js";
import { SHORTEST, chosenOrSaid, insert, relabel } from "./corrections.js";
import { acceptAll, stepDrafts } from "./drafts.js";
import { byId, choice, element, hint, notice, speak } from "./elements.js";
import { clock } from "./format.js";
import { learnProgress } from "./progress.js";
import { change, session, settle } from "./session.js";
import { duration, on, set, state } from "./state.js";
import { listed, nextToLabel, open } from "./videos.js";

const BY_DIGIT = 9;
let last = 0; // the class that was marked last

export function startLabelling() {
  on(["project"], () => document.body.classList.toggle("labelling", state.project.labelling));
  on(["video"], () => state.running.length > 0 && set({ running: [] }));
  on(["project", "editing", "running", "done", "video", "theme", "draftOrder"], show);
}

/** An action of a class begins at the playhead; the second time it ends there.
 * @param {number} label
 * @param {number} [time] where the playhead was when that was asked for
 */
export function mark(label, time = state.time) {
  if (!state.editing) return;
  const name = state.project.classes[label];
  if (name === undefined) return hint(`There is no class ${label + 1} yet. G opens the list of classes.`);
  last = label;
  const begun = state.running.find((one) => one.label === label);
  if (!begun) {
    set({ running: [...state.running, { label, start: time }], looping: false, chosen: null });
    return speak(`${name} begins`);
  }
  const [from, to] = [begun.start, time].sort((a, b) => a - b);
  const start = Math.max(Math.min(from, duration() - SHORTEST), 0);
  set({ running: state.running.filter((one) => one !== begun), looping: false });
  insert({ segment: [start, Math.max(to, start + SHORTEST)], label }, `${name} ends, ${clock(start)} to ${clock(to)}`);
}

export const markLast = () => mark(last);

export function markPicked() {
  const { time, editing } = state;
  if (editing) pickClass("An action begins or ends here", (label) => mark(label, time));
}

export function relabelPicked() {
  if (chosenOrSaid()) pickClass("Class of what is chosen", relabel);
}

/** What has begun and not ended is let go. */
export function letGo() {
  if (state.running.length === 0) return;
  set({ running: [] });
  speak("What had begun is let go");
}

/** Says that all actions of the video are labelled, or takes that back. */
export function toggleDone() {
  if (!state.editing) return;
  const done = !session.now.done;
  const nothing = session.now.actions.length === 0 ? ": nothing happens in it" : "";
  change({ done }, state.chosen, done ? `Done${nothing}` : "Not done any more");
}

/** Says that the video is done, and opens the next one that is not, as all who label have said by now. */
export async function doneAndOn() {
  if (!state.editing) return;
  if (!session.now.done) toggleDone();
  const here = session;
  await settle();
  await learnProgress();
  if (session !== here) return;
  const next = nextToLabel();
  if (next) return open(next.id);
  const rest = listed().filter((one) => one.why_not).length;
  notice(`All videos of this list are done${rest ? `, but for ${rest} that cannot be opened` : ""}.`);
}

/** @param {1 | -1} direction */
export function stepVideos(direction) {
  const videos = listed();
  const here = videos.findIndex(({ id }) => id === state.video?.id);
  const next = videos[here + direction];
  if (next) open(next.id);
  else hint(direction > 0 ? "This is the last video of the list." : "This is the first video of the list.");
}

function show() {
  const place = byId("labelling");
  place.hidden = !state.project?.labelling || !state.editing;
  if (place.hidden) return place.replaceChildren();
  const focused = document.activeElement?.id;
  place.replaceChildren(
    element("span", { class: "chips", role: "group", "aria-label": "Classes" }, chips()),
    element("button", { id: "edit-classes", class: "quiet", click: openClasses }, "Classes…"),
    element("span", { class: "apart" }, draftTools(), doneButton(), onButton()),
  );
  if (focused && place.contains(byId(focused))) byId(focused).focus();
}

function chips() {
  const { classes } = state.project;
  const running = new Set(state.running.map((one) => one.label));
  const shown = [...classes.keys()].filter((label) => label < BY_DIGIT || running.has(label));
  const hidden = classes.length - shown.length;
  const more = element("button", { id: "more-classes", class: "chip", click: markPicked }, `${hidden} more… `, key("T"));
  return [...shown.map((label) => chip(label, running.has(label))), hidden > 0 ? more : null];
}

/**
 * @param {number} label
 * @param {boolean} running
 */
function chip(label, running) {
  const swatch = element("i", { class: "swatch" });
  swatch.style.background = classColour(label);
  const name = state.project.classes[label];
  return element(
    "button",
    {
      id: `class-${label}`,
      class: "chip class",
      title: running ? `${name} ends here` : `${name} begins here`,
      "aria-pressed": String(running),
      click: () => mark(label),
    },
    label < BY_DIGIT ? key(String(label + 1)) : null,
    swatch,
    element("span", {}, name),
  );
}

/** @type {(text: string) => HTMLElement} */
const key = (text) => element("kbd", { class: "with-keys" }, text);

function draftTools() {
  if (state.video.detections.length === 0) return null;
  const order = choice(
    [
      ["time", "in order of time"],
      ["unsure", "least sure first"],
    ],
    state.draftOrder,
    (value) => set({ draftOrder: value === "unsure" ? "unsure" : "time" }),
    { id: "draft-order", "aria-label": "Order of the drafts" },
  );
  return [
    element("button", { id: "next-draft", click: () => stepDrafts(1) }, "Next draft"),
    order,
    element("button", { id: "accept-all", click: acceptAll }, "Accept all"),
  ];
}

const onButton = () =>
  state.done ? element("button", { id: "next-video", class: "primary", click: doneAndOn }, "Next video") : null;

const doneButton = () =>
  element(
    "button",
    { id: "done", class: state.done ? "" : "primary", "aria-pressed": String(state.done), click: toggleDone },
    state.done ? "✓ This video is done" : "This video is done",
  );
