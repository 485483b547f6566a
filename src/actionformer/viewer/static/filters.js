// @ts-check
// Above the timeline: score threshold (one of each class, or one of all), tIoU, kinds of error, classes, zoom.

import { KINDS, MISSED, classColour } from "./colours.js";
import { byId, choice, element } from "./elements.js";
import { detected } from "./descriptions.js";
import { isError, isFound, reaches, shownDetections } from "./lanes.js";
import { on, set, state } from "./state.js";
import { showAll, step, zoom } from "./navigation.js";
import { judge } from "./videos.js";

/** What the address says for the thresholds of the classes. */
export const PER_CLASS = "class";
const OWN_THRESHOLDS =
  "The threshold of each class, measured on held-out videos: what tables and subtitles show. The slider sets one score for all.";
const COUNTED = "How many detections of the shown classes reach the score threshold.";
const COUNTED_MISSED = "How many actions of the shown classes are found by no detection that reaches the score threshold.";

/** @type {Record<string, any>} */
const parts = {};

export function startFilters() {
  on(["project"], build);
  document.addEventListener("pointerdown", ({ target }) => {
    if (parts.classes && !parts.classes.contains(target)) parts.classes.open = false;
  });
  on(["video", "minScore", "hiddenClasses", "hiddenKinds", "actions", "decided", "theme"], refresh);
  on(["minScore"], () => document.querySelectorAll(".score-slider").forEach(followScore));
  on(["tiou"], () =>
    document.querySelectorAll(".tiou-choice select").forEach((/** @type {any} */ one) => (one.value = state.tiou)),
  );
}

/** A choice of the tIoU; of several on the page all show the same.
 * @param {Record<string, any>} [attributes]
 */
export function tiouChoice(attributes = {}) {
  const values = state.project.tiou.map((value) => /** @type {[number, number]} */ ([value, value]));
  const title = "The least overlap with which a detection finds an action";
  const select = choice(values, state.tiou, (value) => judge({ tiou: Number(value) }), { title, ...attributes });
  return element("label", { class: "field tiou-choice" }, "tIoU", select);
}

/** The score threshold as the address and the server have it. */
export const scoreWord = () => (typeof state.minScore === "number" ? String(state.minScore) : PER_CLASS);

/** The score threshold: a slider of one score, and where classes have thresholds a button for these; of several on the
 * page all show the same.
 * @param {Record<string, any>} [attributes]
 */
export function scoreSlider(attributes = {}) {
  const input = element("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    ...attributes,
    input: () => set({ minScore: input.valueAsNumber }),
  });
  const slider = element("label", { class: "field" }, "Score ≥", input, element("output", {}));
  return followScore(element("span", { class: "score-slider" }, slider, state.project.min_scores ? perClass() : ""));
}

const perClass = () =>
  element(
    "button",
    {
      class: "quiet per-class",
      title: OWN_THRESHOLDS,
      click: () => set({ minScore: typeof state.minScore === "number" ? thresholds() : oneScore() }),
    },
    "Per class",
  );

const thresholds = () => /** @type {number[]} */ (state.project.min_scores);

/** The score of all classes; of thresholds per class the middle one. */
function oneScore() {
  const { minScore } = state;
  if (typeof minScore === "number") return minScore;
  const sorted = [...minScore].sort((a, b) => a - b);
  return Math.round(100 * (sorted[Math.floor(sorted.length / 2)] ?? 0)) / 100;
}

/** @param {any} control */
function followScore(control) {
  const isOne = typeof state.minScore === "number";
  control.querySelector("input").value = oneScore();
  control.querySelector("output").textContent = isOne ? oneScore().toFixed(2) : "–";
  control.querySelector(".per-class")?.setAttribute("aria-pressed", String(!isOne));
  return control;
}

function build() {
  const { has } = state.project;
  parts.count = element("span", { id: "shown", class: "faint", "aria-live": "polite" });
  parts.kinds = has.annotations ? chips() : "";
  parts.classes = element("details", { id: "classes", class: "menu" });
  byId("filters").replaceChildren(
    (parts.score = scoreSlider({ id: "min-score" })),
    has.annotations ? tiouChoice({ id: "tiou" }) : "",
    parts.classes,
    parts.count,
    element(
      "span",
      { class: "steps" },
      has.annotations ? errors() : "",
      element(
        "span",
        { role: "group", "aria-label": "Zoom" },
        element("button", { class: "quiet", click: () => zoom(2), "aria-label": "Zoom out" }, "−"),
        element("button", { class: "quiet", click: () => zoom(0.5), "aria-label": "Zoom in" }, "+"),
        element("button", { class: "quiet", click: showAll }, "All"),
      ),
    ),
    parts.kinds,
  );
  buildClasses();
  refresh();
}

/** Moves the score threshold by `change`.
 * @param {number} change
 */
export function moveThreshold(change) {
  set({ minScore: Math.min(Math.max(Math.round(100 * (oneScore() + change)) / 100, 0), 1) });
}

/** Hides what is shown and the other way round; of kinds those of KINDS and "missed".
 * @param {"hiddenClasses" | "hiddenKinds"} key
 * @param {number | string} value
 */
function toggle(key, value) {
  /** @type {Set<number | string>} */
  const changed = new Set([...state[key]]);
  if (!changed.delete(value)) changed.add(value);
  set({ [key]: changed });
}

function refresh() {
  if (!state.video || !parts.classes) return;
  const all = state.video.detections.length - state.decided.length;
  parts.count.textContent = `${shownDetections(state).length} of ${all} ${detected()}s`;
  parts.count.hidden = parts.score.hidden = state.project.labelling && state.video.detections.length === 0;
  if (parts.kinds) countKinds();
  for (const box of parts.classes.querySelectorAll("input[data-label]")) {
    box.checked = !state.hiddenClasses.has(Number(box.dataset.label));
    box.nextElementSibling.style.background = classColour(Number(box.dataset.label));
  }
  const [shown, every] = [state.project.classes.length - state.hiddenClasses.size, state.project.classes.length];
  parts.classes.querySelector("summary").textContent = shown === every ? "All classes" : `${shown} of ${every} classes`;
}

/** From error to error. */
function errors() {
  /** @type {(direction: 1 | -1, text: string, name: string) => HTMLElement} */
  const button = (direction, text, name) =>
    element("button", { class: "quiet", click: () => step(direction, isError), "aria-label": name }, text);
  return element(
    "span",
    { id: "errors", role: "group", "aria-label": "Errors" },
    button(-1, "‹ Error", "Previous error"),
    button(1, "Error ›", "Next error"),
  );
}

/** A chip for every kind, which hides and shows it. */
const chips = () =>
  element(
    "span",
    { id: "kinds", role: "group", "aria-label": "Kinds of detections" },
    Object.entries(KINDS).map(([kind, texts]) => chip(kind, texts, COUNTED)),
    chip("missed", MISSED, COUNTED_MISSED),
  );

/**
 * @param {string} kind
 * @param {{mark: string, says: string}} texts
 * @param {string} counted
 */
function chip(kind, { mark, says }, counted) {
  return element(
    "button",
    {
      class: "chip",
      "data-kind": kind,
      title: `${kind}: ${says}. ${counted}`,
      click: () => toggle("hiddenKinds", kind),
    },
    element("b", { "aria-hidden": "true" }, mark),
    ` ${kind} `,
    element("span", { class: "count" }),
  );
}

function countKinds() {
  const shown = (/** @type {Action} */ { label }) => !state.hiddenClasses.has(label);
  const passing = state.video.detections.filter((one) => reaches(state.minScore, one) && shown(one));
  /** @type {Record<string, number>} */
  const counts = { missed: state.actions.filter((one, i) => shown(one) && isFound(state, i) === false).length };
  for (const { kind } of passing) if (kind) counts[kind] = (counts[kind] ?? 0) + 1;
  for (const one of parts.kinds.querySelectorAll("[data-kind]")) {
    one.setAttribute("aria-pressed", String(!state.hiddenKinds.has(one.dataset.kind)));
    one.querySelector(".count").textContent = counts[one.dataset.kind] ?? 0;
  }
}

function buildClasses() {
  const { classes } = state.project;
  const boxes = classes.map((name, label) =>
    element(
      "label",
      {},
      element("input", {
        type: "checkbox",
        "data-label": label,
        checked: true,
        change: () => toggle("hiddenClasses", label),
      }),
      element("i", { class: "swatch" }),
      name,
    ),
  );
  const search = element("input", {
    type: "search",
    placeholder: "Search classes",
    "aria-label": "Search classes",
    input: () =>
      boxes.forEach((box, i) => (box.hidden = !classes[i].toLowerCase().includes(search.value.toLowerCase()))),
  });
  const all = (/** @type {boolean} */ hidden) => set({ hiddenClasses: new Set(hidden ? classes.keys() : []) });
  parts.classes.replaceChildren(
    element("summary", {}, "All classes"),
    element(
      "div",
      { class: "drop" },
      search,
      element(
        "div",
        { class: "row" },
        element("button", { class: "quiet", click: () => all(false) }, "Show all"),
        element("button", { class: "quiet", click: () => all(true) }, "Hide all"),
      ),
      element("div", { class: "boxes" }, boxes),
    ),
  );
}
