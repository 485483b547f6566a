// What the network says at every moment: a heat map of all levels, and curves of single classes.

import { Refused, get, latest, videoAddress } from "./api.js";
import { classColour } from "./colours.js";
import { byId, choice, element, words } from "./elements.js";
import { lengths, seconds } from "./format.js";
import { dash, heat, plain, timePlot } from "./plot.js";
import { duration, on, state } from "./state.js";
import { gutter } from "./timeline.js";
import { delayed, filled, whenShown, whyNoNetwork } from "./views.js";

const POINTS = 2000;
const MOST_CURVES = 6;
const STRONGEST = "strongest";

const ask = latest((signal, id, span) => get(videoAddress(id, "scores", { points: POINTS, ...span }), signal));

let levels = null; // of the video that is shown, downsampled so that no level has more than POINTS
let covered = null; // the span that `levels` hold
let label = STRONGEST;
let level = 0;
const parts = {};

export function startScores() {
  whenShown("scores", ["video", "project"], fill);
  whenShown("scores", ["theme", "hiddenClasses"], () => levels && show());
  whenShown("scores", ["view"], delayed(refine, 300));
  on(["video"], () => state.tab !== "scores" && (levels = null));
}

async function fill() {
  const place = byId("scores");
  const why = whyNoNetwork();
  if (why || !state.video) return place.replaceChildren(words(why ?? "No video is open."));
  const { id } = state.video;
  const answer = await filled(place, "The network looks at the whole video…", () => ask(id, {}), levels !== null);
  if (!answer || state.video.id !== id) return;
  levels = answer.levels;
  covered = [0, duration()];
  level = Math.min(level, levels.length - 1);
  if (!parts.cards) build();
  parts.level.replaceChildren(
    ...levels.map((_, i) => element("option", { value: i, selected: i === level }, String(i))),
  );
  place.replaceChildren(...parts.cards);
  show();
}

/** Zoomed in, what was downsampled is asked for again: three spans wide, so that one may move a little. */
async function refine() {
  if (!levels || state.tab !== "scores") return;
  const [start, end] = state.view;
  const coarse = levels.some(({ time: [, step], seconds_per_step: finest }) => step > 1.5 * finest);
  const inside = start >= covered[0] && end <= covered[1];
  if (inside && (!coarse || 4 * (end - start) > covered[1] - covered[0])) return;
  const span = { start: Math.max(2 * start - end, 0), stop: Math.min(2 * end - start, duration()) };
  try {
    const answer = await ask(state.video.id, span);
    if (!answer) return;
    [levels, covered] = [answer.levels, [span.start, span.stop]];
    show();
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // a saved report has no more than the whole: that stays
  }
}

function build() {
  parts.map = timePlot("Heat map: probability by pyramid level and time");
  parts.curves = timePlot("Curves: probability of classes over time");
  parts.level = choice(
    [],
    level,
    (value) => {
      level = Number(value);
      show();
    },
    { id: "score-level" },
  );
  const classes = [[STRONGEST, "Strongest of all classes"], ...state.project.classes.map((name, i) => [i, name])];
  parts.cards = [
    element(
      "div",
      { class: "card aligned" },
      element(
        "div",
        { class: "row" },
        element("h2", {}, "Probability by level"),
        element(
          "label",
          { class: "field" },
          "Class",
          choice(
            classes,
            label,
            (value) => {
              label = value === STRONGEST ? STRONGEST : Number(value);
              show();
            },
            { id: "score-class" },
          ),
        ),
      ),
      element(
        "p",
        { class: "faint" },
        "Every row is a pyramid level, from fine to coarse; beside it its step and the lengths of action it is made for. " +
          "Dark is 0, yellow is 1.",
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
        element("label", { class: "field" }, "Level", parts.level),
      ),
      parts.curves.place,
    ),
  ];
}

function show() {
  drawMap();
  drawCurves();
}

/** Beside a row: its level, and where there is room its step and the lengths that it is made for. */
const ticks = ({ seconds_per_step: step, range }, i) =>
  gutter() < 100 ? `<b>${i}</b>  ${seconds(step)}` : `<b>${i}</b>  every ${seconds(step)}<br>${lengths(range)}`;

/** (n,) of the chosen class, or of the best class of every moment. */
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
  parts.map.draw(traces, {
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
  const { maximum } = levels[level];
  const peak = (one) => maximum[one].reduce((most, value) => Math.max(most, value), 0);
  const shown = [...maximum.keys()].filter((one) => !state.hiddenClasses.has(one));
  return shown
    .map((one) => [peak(one), one])
    .sort((a, b) => b[0] - a[0])
    .slice(0, MOST_CURVES)
    .map(([, one]) => one);
}

function drawCurves() {
  const {
    maximum,
    time: [first, step],
  } = levels[level];
  const traces = curveLabels().map((one, i) => ({
    type: "scatter",
    mode: "lines",
    name: plain(state.project.classes[one]),
    x0: first,
    dx: step,
    y: maximum[one],
    line: { color: classColour(one), dash: dash(i), width: 1.8 },
    hovertemplate: `${plain(state.project.classes[one])} at %{x:.2f} s: %{y:.3f}<extra></extra>`,
  }));
  parts.curves.draw(traces, {
    height: 250,
    showlegend: true,
    legend: { orientation: "h", y: 1.16, x: 0 },
    yaxis: { range: [0, 1.02], title: "probability" },
  });
}
