// Above the timeline: score threshold, tIoU, kinds of error, classes, zoom.

import { KINDS, MISSED, classColour } from "./colours.js";
import { byId, choice, element } from "./elements.js";
import { shownDetections } from "./lanes.js";
import { on, set, state } from "./state.js";
import { showAll, zoom } from "./timeline.js";
import { judge } from "./videos.js";

const parts = {};

export function startFilters() {
  on(["project"], build);
  on(["video", "minScore", "hiddenClasses", "hiddenKinds", "actions", "theme"], refresh);
}

function build() {
  const { project } = state;
  parts.score = element("input", {
    id: "min-score",
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    value: state.minScore,
    input: (event) => set({ minScore: event.target.valueAsNumber }),
  });
  parts.scoreText = element("output", { for: "min-score" });
  parts.count = element("span", { id: "shown", class: "faint", "aria-live": "polite" });
  parts.kinds = element("span", { id: "kinds", role: "group", "aria-label": "Kinds of detections" });
  parts.classes = element("details", { id: "classes", class: "menu" });
  const tiou = choice(
    project.tiou.map((value) => [value, value]),
    state.tiou,
    (value) => judge({ tiou: Number(value) }),
    { id: "tiou", title: "From which overlap on a detection finds an action" },
  );
  byId("filters").replaceChildren(
    element("label", { class: "field" }, "Score ≥", parts.score, parts.scoreText),
    project.has.annotations ? element("label", { class: "field" }, "tIoU", tiou) : "",
    parts.classes,
    parts.count,
    element(
      "span",
      { class: "zoom", role: "group", "aria-label": "Zoom" },
      element("button", { class: "quiet", click: () => zoom(2), "aria-label": "Zoom out" }, "−"),
      element("button", { class: "quiet", click: () => zoom(0.5), "aria-label": "Zoom in" }, "+"),
      element("button", { class: "quiet", click: showAll }, "All"),
    ),
    parts.kinds,
  );
  buildClasses();
}

/** Moves the score threshold by `change`. */
export function moveThreshold(change) {
  set({ minScore: Math.min(Math.max(Math.round(100 * (state.minScore + change)) / 100, 0), 1) });
}

/** Hides what is shown and the other way round; `name` of KINDS, or "missed". */
function toggle(key, value) {
  const changed = new Set(state[key]);
  if (!changed.delete(value)) changed.add(value);
  set({ [key]: changed });
}

function refresh() {
  if (!state.video || !parts.score) return;
  parts.score.value = state.minScore;
  parts.scoreText.textContent = state.minScore.toFixed(2);
  parts.count.textContent = `${shownDetections(state).length} of ${state.video.detections.length} detections`;
  if (state.project.has.annotations) showKinds();
  for (const box of parts.classes.querySelectorAll("input[data-label]")) {
    box.checked = !state.hiddenClasses.has(Number(box.dataset.label));
    box.nextElementSibling.style.background = classColour(Number(box.dataset.label));
  }
  const [shown, all] = [state.project.classes.length - state.hiddenClasses.size, state.project.classes.length];
  parts.classes.querySelector("summary").textContent = shown === all ? "All classes" : `${shown} of ${all} classes`;
}

function showKinds() {
  const { detections } = state.video;
  const passing = detections.filter(({ score, label }) => score >= state.minScore && !state.hiddenClasses.has(label));
  const chips = Object.entries(KINDS).map(([kind, texts]) =>
    chip(kind, texts, passing.filter((one) => one.kind === kind).length),
  );
  const missed = state.actions.filter((one) => one.found === false && !state.hiddenClasses.has(one.label)).length;
  const focused = document.activeElement?.dataset?.kind;
  parts.kinds.replaceChildren(...chips, chip("missed", MISSED, missed));
  if (focused) parts.kinds.querySelector(`[data-kind="${focused}"]`)?.focus();
}

function chip(kind, { mark, name, says }, count) {
  return element(
    "button",
    {
      class: "chip",
      "data-kind": kind,
      title: says,
      "aria-pressed": String(!state.hiddenKinds.has(kind)),
      click: () => toggle("hiddenKinds", kind),
    },
    element("b", { "aria-hidden": "true" }, mark),
    ` ${name} `,
    element("span", { class: "count" }, String(count)),
  );
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
  const all = (hidden) => set({ hiddenClasses: new Set(hidden ? classes.keys() : []) });
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
  document.addEventListener("pointerdown", ({ target }) => {
    if (!parts.classes.contains(target)) parts.classes.open = false;
  });
}
