// The whole run: training, precision, the kinds of error, its videos, and a second run beside it.

import { get, latest, query, savedAt } from "./api.js";
import { KINDS, MISSED, classColour } from "./colours.js";
import { byId, element, table, words } from "./elements.js";
import { scoreSlider, tiouChoice } from "./filters.js";
import { clock, count, lengths, percent } from "./format.js";
import { dash, draw, plain } from "./plot.js";
import { sortable } from "./sortable.js";
import { on, state } from "./state.js";
import { open, tiouText } from "./videos.js";
import { filled, whenShown } from "./views.js";

const FEW = 3; // points that need marks to be seen
const ERRORS = Object.keys(KINDS).filter((kind) => kind !== "true");

/** A saved report keeps only what is said of all detections. */
const least = () => (savedAt ? null : state.minScore);

const ask = latest((signal, tiou, minScore) =>
  Promise.all([
    get(`api/run${query({ tiou: tiouText(tiou), min_score: minScore })}`, signal),
    state.project.has.compare ? get("api/compare", signal) : null,
  ]),
);

let answer = null;
let comparison = null;
const parts = {};

export function startRun() {
  on(["project"], () => (answer = parts.cards = null));
  whenShown("run", ["project", "tiou", "minScore"], fill, 150);
  whenShown("run", ["theme"], () => answer && drawCurves());
}

async function fill() {
  const place = byId("run");
  const given = await filled(place, "The run is being judged…", () => ask(state.tiou, least()), answer !== null);
  if (!given) return false;
  [answer, comparison] = given;
  if (!parts.cards) build();
  if (!place.contains(parts.trained)) place.replaceChildren(...parts.cards);
  return show();
}

const card = (...children) => element("div", { class: "card" }, children);

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
    ...(comparison ? [compared()] : []),
  );
  parts.listVideos();
  return drawCurves();
}

function showErrors(errors) {
  parts.kinds.replaceChildren(...kinds(errors));
  parts.byLength.replaceChildren(...foundByLength(errors));
}

const LOSS = /loss/i;
const PRECISION = /map|precision/i;

/** Names of training's figures that a pattern names; of precision the average, not every threshold. */
const namesOf = (curves, pattern) =>
  Object.keys(curves ?? {}).filter((name) => pattern.test(name) && !name.includes("@"));
const hasCurves = (curves, pattern) => namesOf(curves, pattern).length > 0;

async function drawCurves() {
  const plots = [
    [parts.loss, LOSS, "loss", 1],
    [parts.byEpoch, PRECISION, "mAP, %", 100],
  ];
  const drawn = plots
    .filter(([, pattern]) => hasCurves(answer.curves, pattern))
    .map(([place, pattern, title, unit]) => byEpoch(place, namesOf(answer.curves, pattern), title, unit));
  return (await Promise.all(drawn)).every(Boolean);
}

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

const thresholds = (map) => Object.keys(map).sort((a, b) => a - b);

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
  const { has, why_not: why, videos: all } = state.project;
  if (why?.annotations) return why.annotations;
  if (has.run && !all.some(({ ap }) => ap))
    return "This run was not evaluated: `actionformer evaluate RUN` does that, then start the viewer again.";
  return "No video has both detections and annotations: nothing can be judged.";
}

/** Rows of [name, [[value, css class], ...], text, value of a full bar]. */
function bars(rows) {
  return element(
    "div",
    { class: "bars" },
    rows.flatMap(([name, values, text, whole]) => [
      element("span", {}, name),
      element(
        "div",
        { class: "whole" },
        values.map(([value, kind]) => {
          const part = element("div", { class: `part ${kind}` });
          part.style.width = `${(100 * value) / (whole || 1)}%`;
          return part;
        }),
      ),
      element("span", { class: "number" }, text),
    ]),
  );
}

/** Of actions: those found, filled, and those missed, hatched, as shares of all. */
const foundAndMissed = (name, found, missed, text) => [
  name,
  [
    [found, ""],
    [missed, "hatched"],
  ],
  text,
  found + missed,
];

function kinds({ kinds: counts, gains }) {
  const all = Object.keys(KINDS).filter((kind) => kind in counts);
  const total = all.reduce((sum, kind) => sum + counts[kind], 0);
  const rows = all.map((kind) => [
    `${KINDS[kind].mark} ${KINDS[kind].name}`,
    [[counts[kind], kind === "true" ? "" : "hatched"]],
    `${count(counts[kind])}${gain(gains[kind])}`,
    total,
  ]);
  const { found, missed } = counts;
  return [
    element(
      "p",
      { class: "faint" },
      `Detections ${which()}. Filled: right, hatched: errors. Beside an error, what mAP would gain without it.`,
    ),
    bars(rows),
    element("p", { class: "faint" }, "And of all actions, those found (filled) and those missed (hatched):"),
    bars([
      foundAndMissed(
        `${MISSED.mark} ${MISSED.name}`,
        found,
        missed,
        `${count(missed)} of ${count(found + missed)}${gain(gains.missed)}`,
      ),
    ]),
  ];
}

const which = () => (savedAt ? "of any score" : `from score ${state.minScore.toFixed(2)} on`);

const gain = (value) => (value === undefined ? "" : ` · +${(100 * value).toFixed(1)}`);

function foundByLength({ by_length: ranges }) {
  return [
    element("h2", {}, "Actions found, by their length"),
    element("p", { class: "faint" }, "A full bar is all actions of that length. Filled: found, hatched: missed."),
    bars(
      ranges.map(({ range, found, missed }) =>
        foundAndMissed(lengths(range), found, missed, `${count(found)} of ${count(found + missed)} found`),
      ),
    ),
  ];
}

function byClass(classes, { by_class: counts }) {
  const key = keyOf(classes[0]?.ap ?? {});
  return card(
    element("h2", {}, "By class"),
    sortable(
      [
        ["Class", (row) => row.class],
        [`AP at ${key}`, (row) => row.ap[key], percent],
        ["Actions", (row) => row.actions, count],
        [`${MISSED.mark} missed`, (row) => counts[row.class]?.missed ?? 0, count],
        ...ERRORS.map((kind) => [headed(kind), (row) => counts[row.class]?.[kind] ?? 0, count]),
      ],
      classes,
      `Precision of all detections, errors among those ${which()}; a heading sorts`,
      1,
    ),
  );
}

const headed = (kind) => `${KINDS[kind].mark} ${KINDS[kind].name}`;

function byLength({ by_length: ranges }) {
  return card(
    element("h2", {}, "By length"),
    table(
      [
        ["Length", ({ range }) => lengths(range)],
        ["Actions", ({ found, missed }) => count(found + missed), true],
        [`${MISSED.mark} missed`, ({ missed }) => count(missed), true],
        ...ERRORS.map((kind) => [headed(kind), (row) => count(row[kind]), true]),
      ],
      ranges,
      `Actions by their own length, errors among detections ${which()} by that of the detection`,
    ),
  );
}

const keyOf = (ap) => (String(state.tiou) in ap ? String(state.tiou) : thresholds(ap)[0]);

function compared() {
  const [first, second] = comparison.names;
  const key = keyOf(comparison.map);
  const [before, after] = comparison.map[key];
  return card(
    element("h2", {}, "Compared with a second run"),
    element("p", {}, `mAP at ${key}: ${first} ${percent(before)}, ${second} ${percent(after)}.`),
    sortable(
      [
        ["Class", (row) => row.class],
        [first, (row) => row.first[key], percent],
        [second, (row) => row.second[key], percent],
        [
          "Difference",
          (row) => row.difference[key],
          (value) =>
            value === null ? "–" : `${value > 0 ? "+" : value < 0 ? "−" : "±"}${(100 * Math.abs(value)).toFixed(1)}`,
        ],
      ],
      comparison.per_class,
      "Average precision of every class; a heading sorts",
      3,
    ),
  );
}

function videos() {
  const place = element("div", {});
  const search = element("input", {
    type: "search",
    id: "run-search",
    autocomplete: "off",
    input: () => parts.listVideos(),
  });
  let shown = null;
  parts.listVideos = () => {
    const key = keyOf(state.project.videos.find(({ ap }) => ap)?.ap ?? {});
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

function videoTable(rows, key) {
  const columns = [
    ["Video", (row) => row.id, null, (row) => element("button", { class: "link", click: () => open(row.id, { tab: "timeline" }) }, row.id)],
    ["Length", (row) => row.duration, (value) => (value === null ? "–" : clock(value, 0))],
    ["Detections", (row) => row.detections, (value) => (value === null ? "–" : count(value))],
    ["Actions", (row) => row.actions, (value) => (value === null ? "–" : count(value))],
  ];
  if (key) columns.splice(1, 0, [`AP at ${key}`, (row) => row.ap?.[key] ?? null, percent]);
  return sortable(columns, rows, key ? "Worst first; a heading sorts" : "A heading sorts", key ? 1 : 0);
}
