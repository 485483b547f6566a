// @ts-check
// The whole run: training, precision, the kinds of error, its videos, and a second run beside it.

import { get, latest, query, savedAt } from "./api.js";
import { classColour } from "./colours.js";
import { byId, card, element, words } from "./elements.js";
import { scoreSlider, scoreWord, tiouChoice } from "./filters.js";
import { percent } from "./format.js";
import { dash, draw, plain } from "./plot.js";
import { bars, foundByLength, kinds } from "./run_bars.js";
import { byClass, byLength, compared, keyOf, thresholds, videoTable } from "./run_tables.js";
import { NOT_YET, on, state } from "./state.js";
import { tiouText } from "./videos.js";
import { filled, whenShown } from "./views.js";

const FEW = 3; // points that need marks to be seen
/** A saved report keeps only what is said of all detections. */
const least = () => (savedAt ? null : scoreWord());

const ask = latest((signal, /** @type {number} */ tiou, /** @type {string | null} */ minScore) =>
  Promise.all([
    get(`api/run${query({ tiou: tiouText(tiou), min_score: minScore })}`, signal),
    state.project.has.compare ? get("api/compare", signal) : null,
  ]),
);

/** @type {RunAnswer} */
let answer = NOT_YET;
/** @type {Comparison | null} */
let comparison = null;
/** @type {Record<string, any>} */
const parts = {};

export function startRun() {
  on(["project"], () => (answer = parts.cards = NOT_YET));
  whenShown("run", ["project", "precision", "tiou", "minScore"], fill, 150);
  whenShown("run", ["theme"], () => answer && drawCurves());
}

async function fill() {
  const place = byId("run");
  const given = await filled(place, "The run is being evaluated…", () => ask(state.tiou, least()), answer !== null);
  if (!given) return false;
  [answer, comparison] = given;
  if (!parts.cards) build();
  if (!place.contains(parts.trained)) place.replaceChildren(...parts.cards);
  return show();
}

/** What stays as it is, whatever is chosen: plots, controls, the table of videos with its search. */
function build() {
  parts.loss = element("div", { class: "plot", role: "img", "aria-label": "loss by epoch" });
  parts.byEpoch = element("div", { class: "plot", role: "img", "aria-label": "mAP by epoch" });
  parts.trained = element("div", { class: "body" });
  parts.precision = element("div", { class: "body" });
  parts.kinds = element("div", { class: "body" });
  parts.tables = element("div", { class: "contents" });
  parts.byLength = element("div", { class: "card" });
  parts.judged = element(
    "div",
    { class: "pair" },
    card(
      element(
        "div",
        { class: "row" },
        element("h2", {}, "What detections are"),
        tiouChoice({ id: "run-tiou" }),
        savedAt ? "" : scoreSlider({ id: "run-score" }),
      ),
      parts.kinds,
    ),
    parts.byLength,
  );
  parts.videos = element("div", { class: "contents" }, videos());
  parts.cards = [
    element(
      "div",
      { class: "pair" },
      card(element("h2", {}, "Training"), parts.trained),
      card(element("h2", {}, "Mean average precision"), parts.precision),
    ),
    parts.judged,
    parts.tables,
    parts.videos,
  ];
}

function show() {
  const { errors, map, per_class: classes, curves } = answer;
  parts.trained.replaceChildren(
    hasCurves(curves, LOSS) ? parts.loss : words("Without a run there are no training curves."),
  );
  parts.precision.replaceChildren(...precision(map), hasCurves(curves, PRECISION) ? parts.byEpoch : "");
  parts.judged.hidden = !errors;
  if (errors) showErrors(errors);
  parts.tables.replaceChildren(
    ...(errors ? [byClass(classes, errors), byLength(errors)] : []),
    ...(comparison ? [compared(comparison)] : []),
  );
  parts.listVideos();
  return drawCurves();
}

/** @param {Errors} errors */
function showErrors(errors) {
  parts.kinds.replaceChildren(...kinds(errors));
  parts.byLength.replaceChildren(...foundByLength(errors));
}

const LOSS = /loss/i;
const PRECISION = /map|precision/i;

/** Names of training's figures that a pattern names; of precision the average, not every threshold.
 * @type {(curves: RunAnswer["curves"], pattern: RegExp) => string[]}
 */
const namesOf = (curves, pattern) =>
  Object.keys(curves ?? {}).filter((name) => pattern.test(name) && !name.includes("@"));
/** @type {(curves: RunAnswer["curves"], pattern: RegExp) => boolean} */
const hasCurves = (curves, pattern) => namesOf(curves, pattern).length > 0;

async function drawCurves() {
  /** @type {[HTMLElement, RegExp, string, number][]} */
  const plots = [
    [parts.loss, LOSS, "loss", 1],
    [parts.byEpoch, PRECISION, "mAP, %", 100],
  ];
  const drawn = plots
    .filter(([, pattern]) => hasCurves(answer.curves, pattern))
    .map(([place, pattern, title, unit]) => byEpoch(place, namesOf(answer.curves, pattern), title, unit));
  return (await Promise.all(drawn)).every(Boolean);
}

/**
 * @param {HTMLElement} place
 * @param {string[]} names
 * @param {string} title
 * @param {number} unit
 */
function byEpoch(place, names, title, unit) {
  const { curves } = answer;
  const traces = names.map((name, i) => ({
    type: "scatter",
    mode: curves[name].length <= FEW ? "lines+markers" : "lines",
    name: plain(name),
    x: curves[name].map(([epoch]) => epoch),
    y: curves[name].map(([, value]) => unit * value),
    line: { color: classColour(i), dash: dash(i), width: 2 },
  }));
  return draw(place, traces, {
    height: 250,
    legend: { orientation: "h", y: -0.3, yanchor: "top", x: 0 },
    xaxis: { title: "epoch" },
    yaxis: { title, rangemode: "tozero" },
  });
}

/**
 * @param {RunAnswer["map"]} map
 * @returns {Node[]}
 */
function precision(map) {
  if (!map) return [words(whyNotJudged())];
  const keys = thresholds(map);
  const average = keys.reduce((sum, key) => sum + map[key], 0) / keys.length;
  return [
    element("p", { class: "faint" }, `Average over ${keys.length} thresholds: ${percent(average)}`),
    bars(keys.map((key) => [`tIoU ${key}`, [[map[key], ""]], percent(map[key]), 1])),
  ];
}

function whyNotJudged() {
  const { has, why_not: why } = state.project;
  if (why?.annotations) return why.annotations;
  if (has.run && !Object.keys(state.precision ?? {}).length)
    return "This run was not evaluated. Run `actionformer evaluate RUN`, then start the viewer again.";
  return "No video has both detections and annotations: nothing can be evaluated.";
}

function videos() {
  const place = element("div", {});
  const search = element("input", {
    type: "search",
    id: "run-search",
    autocomplete: "off",
    input: () => parts.listVideos(),
  });
  /** @type {string | null} */
  let shown = null;
  parts.listVideos = () => {
    const key = keyOf(Object.values(state.precision ?? {})[0] ?? {});
    const wanted = search.value.trim().toLowerCase();
    if (shown === `${key} ${wanted}`) return; // as it was sorted and scrolled
    shown = `${key} ${wanted}`;
    const rows = state.project.videos.filter(({ id }) => id.toLowerCase().includes(wanted));
    place.replaceChildren(rows.length ? videoTable(rows, key) : words("No video has this in its name."));
  };
  return card(
    element(
      "div",
      { class: "row" },
      element("h2", {}, "Videos"),
      element("label", { class: "field" }, "Search", search),
    ),
    place,
  );
}
