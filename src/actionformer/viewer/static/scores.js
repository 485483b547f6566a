// @ts-check
// What the network says at every moment: a heat map of all levels, and curves of single classes.

import { Refused, get, latest, videoAddress } from "./api.js";
import { classColour } from "./colours.js";
import { byId, choice, element, words } from "./elements.js";
import { lengths, seconds } from "./format.js";
import { dash, heat, plain, timePlot } from "./plot.js";
import { NOT_YET, duration, on, state } from "./state.js";
import { gutter } from "./surface.js";
import { filled, whenShown, whyNoNetwork } from "./views.js";

const POINTS = 2000;
const MOST_CURVES = 6;
const STRONGEST = "strongest";

const ask = latest((signal, /** @type {string} */ id, /** @type {{start?: number, stop?: number}} */ span) =>
  get(videoAddress(id, "scores", { points: POINTS, ...span }), signal),
);

/** @type {LevelScores[]} */
let levels = NOT_YET; // of the video that is shown, downsampled so that no level has more than POINTS
/** @type {string | null} */
let of = null; // id of that video
/** @type {Span} */
let covered = [0, 0]; // the span that `levels` hold
/** @type {LevelScores[] | null} */
let drawn = null; // the `levels` that the plots show
/** @type {number | typeof STRONGEST} */
let label = STRONGEST;
/** @type {number | null} */
let level = null; // of the curves; null: the one with the highest peak
/** @type {Record<string, any>} */
const parts = {};

export function startScores() {
  on(["video"], forget);
  whenShown("scores", ["video", "project", "view"], fill, 200);
  whenShown("scores", ["theme", "hiddenClasses"], () => levels && show());
}

function forget() {
  if (state.video?.id !== of) levels = NOT_YET;
}

async function fill() {
  const place = byId("scores");
  const why = whyNoNetwork();
  if (why || !state.video) return place.replaceChildren(words(why ?? "No video is open."));
  const { id } = state.video;
  if (!levels) {
    const whole = await filled(place, "The network looks at the whole video…", () => ask(id, {}));
    if (!whole || state.video.id !== id) return false;
    [levels, covered, of] = [whole.levels, [0, duration()], id];
    level = level === null ? null : Math.min(level, levels.length - 1);
  }
  if (!(await refine(id))) return false;
  if (!parts.cards) build();
  if (!place.contains(parts.map.place)) place.replaceChildren(...parts.cards);
  return drawn === levels || show();
}

/** Zoomed in, what was downsampled is asked for again: three spans wide, so that one may move a little. Gives false if
 * something else was asked for since.
 * @param {string} id
 */
async function refine(id) {
  const [start, end] = state.view;
  const coarse = levels.some(({ time: [, step], seconds_per_step: finest }) => step > 1.5 * finest);
  const inside = start >= covered[0] && end <= covered[1];
  if (inside && (!coarse || 4 * (end - start) > covered[1] - covered[0])) return true;
  const span = { start: Math.max(2 * start - end, 0), stop: Math.min(2 * end - start, duration()) };
  try {
    const answer = await ask(id, span);
    if (!answer || state.video.id !== id) return false;
    [levels, covered] = [answer.levels, [span.start, span.stop]];
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // a saved report has no more than the whole: that stays
  }
  return true;
}

function build() {
  parts.map = timePlot("Heat map: probability by pyramid level and time");
  parts.curves = timePlot("Curves: probability of classes over time");
  parts.levels = element("span", {});
  /** @type {[string | number, string][]} */
  const classes = [
    [STRONGEST, "Strongest of all classes"],
    ...state.project.classes.map((name, i) => /** @type {[number, string]} */ ([i, name])),
  ];
  const choose = (/** @type {string} */ value) => {
    label = value === STRONGEST ? STRONGEST : Number(value);
    show();
  };
  parts.cards = [
    element(
      "div",
      { class: "card aligned" },
      element(
        "div",
        { class: "row" },
        element("h2", {}, "Probability by level"),
        element("label", { class: "field" }, "Class", choice(classes, label, choose, { id: "score-class" })),
      ),
      element(
        "p",
        { class: "faint" },
        "Every row is a pyramid level, from fine to coarse. Beside it: the time from one moment to the next, and " +
          "how far away the further end of its actions may lie. Dark is 0, yellow is 1.",
      ),
      parts.map.place,
    ),
    element(
      "div",
      { class: "card aligned" },
      element(
        "div",
        { class: "row" },
        element("h2", {}, "Probability by class"),
        element("label", { class: "field" }, "Level", parts.levels),
      ),
      parts.curves.place,
    ),
  ];
}

async function show() {
  showLevels();
  const shown = levels;
  const done = (await Promise.all([drawMap(), drawCurves()])).every(Boolean);
  drawn = done ? shown : null;
  return done;
}

/** The drop-down of the curves' level; by itself the one where the chosen class is most probable. */
function showLevels() {
  const choose = (/** @type {string} */ value) => {
    level = value === STRONGEST ? null : Number(value);
    show();
  };
  /** @type {[string | number, string][]} */
  const options = [
    [STRONGEST, `Strongest (${strongestLevel()})`],
    ...levels.map((_, i) => /** @type {[number, string]} */ ([i, String(i)])),
  ];
  const focused = parts.levels.contains(document.activeElement);
  parts.levels.replaceChildren(choice(options, level ?? STRONGEST, choose, { id: "score-level" }));
  if (focused) byId("score-level").focus();
}

/** @type {(values: number[]) => number} */
const peakOf = (values) => values.reduce((most, value) => Math.max(most, value), 0);

function strongestLevel() {
  const peaks = levels.map((one) => peakOf(rowOf(one)));
  return peaks.indexOf(Math.max(...peaks));
}

/** Beside a row: its level, and where there is room its step and where the actions end that it is made for.
 * @type {(one: LevelScores, index: number) => string}
 */
const ticks = ({ seconds_per_step: step, range }, i) =>
  gutter() < 100 ? `<b>${i}</b>  ${seconds(step)}` : `<b>${i}</b>  every ${seconds(step)}<br>ends ${lengths(range)}`;

/** (n,) of the chosen class, or of the best class of every moment.
 * @param {LevelScores} one
 * @returns {number[]}
 */
function rowOf({ maximum }) {
  if (label !== STRONGEST) return maximum[label];
  return maximum[0].map((_, i) => maximum.reduce((most, ofClass) => Math.max(most, ofClass[i]), 0));
}

function drawMap() {
  const traces = levels.map((one, i) => ({
    type: "heatmap",
    z: [rowOf(one)],
    x0: one.time[0],
    dx: one.time[1],
    y: [i - 0.46, i + 0.46],
    zmin: 0,
    zmax: 1,
    colorscale: heat,
    showscale: false,
    hovertemplate: `level ${i}, %{x:.2f} s: %{z:.3f}<extra></extra>`,
  }));
  return parts.map.draw(traces, {
    height: 64 + 34 * levels.length,
    showlegend: false,
    yaxis: {
      range: [levels.length - 0.5, -0.5],
      tickvals: levels.map((_, i) => i),
      ticktext: levels.map(ticks),
      tickfont: { size: 10.5 },
      showgrid: false,
    },
  });
}

/** The chosen class, or those that are highest somewhere at this level. */
function curveLabels() {
  if (label !== STRONGEST) return [label];
  const { maximum } = levels[level ?? strongestLevel()];
  const shown = [...maximum.keys()].filter((one) => !state.hiddenClasses.has(one));
  return shown.sort((a, b) => peakOf(maximum[b]) - peakOf(maximum[a])).slice(0, MOST_CURVES);
}

function drawCurves() {
  const {
    maximum,
    time: [first, step],
  } = levels[level ?? strongestLevel()];
  const traces = curveLabels().map((one, i) => ({
    type: "scatter",
    mode: "lines",
    name: plain(state.project.classes[one]),
    x0: first,
    dx: step,
    y: maximum[one],
    line: { color: classColour(one), dash: dash(i), width: 1.8 },
    hovertemplate: "%{fullData.name} at %{x:.2f} s: %{y:.3f}<extra></extra>",
  }));
  return parts.curves.draw(traces, {
    height: 250,
    showlegend: true,
    legend: { orientation: "h", y: 1.16, x: 0 },
    yaxis: { range: [0, 1.02], title: "probability" },
  });
}
