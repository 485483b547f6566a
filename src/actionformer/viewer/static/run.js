// The whole run: training, precision, the kinds of error, its videos, and a second run beside it.

import { get, latest, query } from "./api.js";
import { KINDS, MISSED } from "./colours.js";
import { byId, element, table, words } from "./elements.js";
import { clock, count, lengths, percent } from "./format.js";
import { dash, draw, plain } from "./plot.js";
import { sortable } from "./sortable.js";
import { on, state } from "./state.js";
import { goTo } from "./tabs.js";
import { open, tiouText } from "./videos.js";
import { filled, whenShown } from "./views.js";

const FEW = 3; // points that need marks to be seen
const ERRORS = Object.keys(KINDS).filter((kind) => kind !== "true");

const ask = latest((signal, tiou) =>
  Promise.all([
    get(`api/run${query({ tiou: tiouText(tiou) })}`, signal),
    state.project.has.compare ? get("api/compare", signal) : null,
  ]),
);

let answer = null;
let comparison = null;

export function startRun() {
  whenShown("run", ["project", "tiou"], fill);
  whenShown("run", ["theme"], () => answer && show());
  on(["project"], () => (answer = null));
}

async function fill() {
  const given = await filled(byId("run"), "The run is being judged…", () => ask(state.tiou));
  if (!given) return;
  [answer, comparison] = given;
  show();
}

const card = (...children) => element("div", { class: "card" }, children);

function show() {
  const place = byId("run");
  const { errors, map, per_class: classes, curves } = answer;
  place.replaceChildren(
    element("div", { class: "pair" }, trained(curves), precision(map, curves)),
    ...(errors ? judged(errors, classes) : []),
    ...(comparison ? [compared()] : []),
    videos(),
  );
}

/** Training's figures by epoch that a pattern names; of precision the average, not every threshold. */
function byEpoch(curves, pattern, title) {
  const names = Object.keys(curves ?? {}).filter((name) => pattern.test(name) && !name.includes("@"));
  if (names.length === 0) return null;
  const place = element("div", { class: "plot", role: "img", "aria-label": `${title} by epoch` });
  const traces = names.map((name, i) => ({
    type: "scatter",
    mode: curves[name].length <= FEW ? "lines+markers" : "lines",
    name: plain(name),
    x: curves[name].map(([epoch]) => epoch),
    y: curves[name].map(([, value]) => value),
    line: { dash: dash(i), width: 2 },
  }));
  draw(place, traces, {
    height: 250,
    colorway: WAYS[state.theme],
    legend: { orientation: "h", y: -0.3, yanchor: "top", x: 0 },
    xaxis: { title: "epoch" },
    yaxis: { title, rangemode: "tozero" },
  });
  return place;
}

function trained(curves) {
  const plot = byEpoch(curves, /loss/i, "loss");
  return card(element("h2", {}, "Training"), plot ?? words("Without a run there are no training curves."));
}

const WAYS = {
  light: ["#0072B2", "#D55E00", "#009E73", "#CC79A7"],
  dark: ["#56B4E9", "#E69F00", "#2CC295", "#E39BC4"],
};

const thresholds = (map) => Object.keys(map).sort((a, b) => a - b);

function precision(map, curves) {
  const title = element("h2", {}, "Mean average precision");
  const plot = byEpoch(curves, /map|precision/i, "mAP");
  if (!map) {
    const why =
      state.project.why_not?.annotations ?? "No video has both detections and annotations: nothing can be judged.";
    return card(title, words(why), plot ?? "");
  }
  const keys = thresholds(map);
  const average = keys.reduce((sum, key) => sum + map[key], 0) / keys.length;
  return card(
    title,
    element("p", { class: "faint" }, `Average over ${keys.length} thresholds: ${percent(average)}`),
    bars(
      keys.map((key) => [`tIoU ${key}`, [[map[key], ""]], percent(map[key])]),
      1,
    ),
    plot ?? "",
  );
}

/** Rows of [name, [[value, css class], ...], text]; `whole` is the value of a full bar. */
function bars(rows, whole) {
  return element(
    "div",
    { class: "bars" },
    rows.flatMap(([name, parts, text]) => [
      element("span", {}, name),
      element(
        "div",
        { class: "whole" },
        parts.map(([value, kind]) => {
          const part = element("div", { class: `part ${kind}` });
          part.style.width = `${(100 * value) / (whole || 1)}%`;
          return part;
        }),
      ),
      element("span", { class: "number" }, text),
    ]),
  );
}

function kinds({ kinds: counts, gains }) {
  const all = Object.keys(KINDS).filter((kind) => kind in counts);
  const total = all.reduce((sum, kind) => sum + counts[kind], 0);
  const rows = all.map((kind) => [
    `${KINDS[kind].mark} ${KINDS[kind].name}`,
    [[counts[kind], kind === "true" ? "" : "hatched"]],
    `${count(counts[kind])}${gain(gains[kind])}`,
  ]);
  if ("missed" in counts)
    rows.push([
      `${MISSED.mark} ${MISSED.name}`,
      [[Math.min(counts.missed, total), "hatched"]],
      `${count(counts.missed)}${gain(gains.missed)}`,
    ]);
  return card(
    element("h2", {}, `What detections are at tIoU ${state.tiou}`),
    element(
      "p",
      { class: "faint" },
      "All detections, whatever their score, and the actions that are missed; filled: right, hatched: errors. " +
        "Beside an error, what mAP would gain without it.",
    ),
    bars(rows, total),
  );
}

const gain = (value) => (value === undefined ? "" : ` · +${(100 * value).toFixed(1)}`);

const judged = (errors, classes) => [
  element("div", { class: "pair" }, kinds(errors), foundByLength(errors)),
  byClass(classes, errors),
  byLength(errors),
];

function foundByLength({ by_length: ranges }) {
  const rows = ranges.map(({ range, found, missed }) => [
    lengths(range),
    [
      [found, ""],
      [missed, "hatched"],
    ],
    `${found} of ${found + missed} found`,
  ]);
  const most = ranges.reduce((sum, { found, missed }) => Math.max(sum, found + missed), 0);
  return card(
    element("h2", {}, "Actions found, by their length"),
    element("p", { class: "faint" }, "Filled: found, hatched: missed."),
    bars(rows, most),
  );
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
      "Precision and errors of every class; a heading sorts",
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
      "Actions by their own length, errors by that of the detection",
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
  const key = keyOf(state.project.videos.find(({ ap }) => ap)?.ap ?? {});
  const columns = [
    ["Video", (row) => row.id, null, (row) => element("button", { class: "link", click: () => visit(row.id) }, row.id)],
    ["Length", (row) => row.duration, (value) => (value === null ? "–" : clock(value, 0))],
    ["Detections", (row) => row.detections, (value) => (value === null ? "–" : count(value))],
    ["Actions", (row) => row.actions, (value) => (value === null ? "–" : count(value))],
  ];
  if (key) columns.splice(1, 0, [`AP at ${key}`, (row) => row.ap?.[key] ?? null, percent]);
  const place = element("div", {});
  const search = element("input", { type: "search", id: "run-search", autocomplete: "off", input: () => fillTable() });
  const fillTable = () => {
    const wanted = search.value.trim().toLowerCase();
    const rows = state.project.videos.filter(({ id }) => id.toLowerCase().includes(wanted));
    place.replaceChildren(
      rows.length
        ? sortable(columns, rows, key ? "Worst first; a heading sorts" : "A heading sorts", key ? 1 : 0)
        : words("No video has this in its name."),
    );
  };
  fillTable();
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

function visit(id) {
  goTo("timeline");
  open(id);
}
