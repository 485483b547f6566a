// @ts-check
// The tools of corrections and of labelling, as buttons; and what is said of saving.

import { CHOOSE, accept, add, isDraft, isEditable, labelOfChosen, nudge, relabel, remove } from "./corrections.js";
import { acceptAndGoOn, rejectAndGoOn } from "./drafts.js";
import { byId, choice, element, prose } from "./elements.js";
import { keepMine, loadTheirs, redo, session, toggleEditing, undo, whyNot } from "./session.js";
import { unsaved } from "./session_saving.js";
import { on, set, state } from "./state.js";
import { judge } from "./videos.js";

export function startToolbar() {
  on(["project", "video", "editing", "chosen", "saving", "looping"], show);
}

function show() {
  const place = byId("corrections");
  place.classList.toggle("idle", !session);
  if (!state.video) return place.replaceChildren();
  if (!session) return place.replaceChildren(...(state.project.labelling ? [] : [...beside(), beginning()]));
  const focused = document.activeElement?.id;
  place.replaceChildren(
    ...(state.project.labelling ? labellingTools() : correctingTools()),
    tool("undo", "Undo", undo, session.past.length === 0),
    tool("redo", "Redo", redo, session.future.length === 0),
    ...label(),
    element("span", { id: "saved", class: "faint saved", role: "status" }, prose(session.said)),
    session.conflict ? tool("theirs", "Load their version", loadTheirs) : "",
    session.conflict ? tool("mine", "Keep mine", keepMine) : "",
  );
  if (focused && place.contains(byId(focused))) byId(focused).focus();
}

function correctingTools() {
  const none = !isEditable(state.chosen);
  return [
    element("button", { id: "edit", class: "primary", click: toggleEditing }, "Done"),
    tool("add", "Add", add),
    tool("delete", "Delete", remove, none),
    tool("starts", "Starts here", () => nudge("start"), none),
    tool("ends", "Ends here", () => nudge("end"), none),
    tool("accept", "Detection → action", accept, state.chosen?.type !== "detection"),
  ];
}

function labellingTools() {
  const none = !isEditable(state.chosen);
  const loop = () => set({ looping: !state.looping });
  return [
    ...(isDraft(state.chosen)
      ? [tool("accept", "Accept", acceptAndGoOn), tool("delete", "Reject", rejectAndGoOn)]
      : [tool("add", "Add", add), tool("delete", "Delete", remove, none)]),
    tool("starts", "Starts here", () => nudge("start"), none),
    tool("ends", "Ends here", () => nudge("end"), none),
    element("button", { id: "loop", click: loop, "aria-pressed": String(state.looping) }, "Loop"),
  ];
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

/** The class of what is chosen. Where videos are labelled it has its place without that too, or all below would move. */
function label() {
  const none = !isEditable(state.chosen);
  if (none && !state.project.labelling) return [element("span", { class: "faint" }, CHOOSE)];
  /** @type {[number | string, string][]} */
  const classes = none ? [["", "–"]] : [...state.project.classes.entries()];
  const change = (/** @type {string} */ value) => relabel(Number(value));
  const made = choice(classes, none ? "" : labelOfChosen(), change, { id: "label", disabled: none });
  return [element("label", { class: "field" }, "Label", made)];
}
