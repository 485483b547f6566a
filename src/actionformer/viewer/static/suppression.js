// From candidates to detections: suppression goes pick by pick, and the scores that it lets decay are seen moving.

import { latest, send, videoAddress } from "./api.js";
import { candidateAt, drawCandidates, visible } from "./candidates.js";
import { classColour } from "./colours.js";
import { byId, choice, element, hideTooltip, showTooltip, slider, speak, table, words } from "./elements.js";
import { clock, count, plural, score, span } from "./format.js";
import { on, oncePerFrame, state } from "./state.js";
import { filled, whenShown, whyNoNetwork } from "./views.js";

const LIMIT = 2000;
const MOST_ROWS = 12;
const NEAR = { mouse: 6, touch: 16 }; // pixels beside a candidate that still hit it
const METHODS = [
  ["soft", "soft: scores decay"],
  ["hard", "hard: overlapping go"],
  ["none", "none: the best stay"],
];

const ask = latest((signal, id, asked) => send("POST", videoAddress(id, "suppression"), asked, signal));

let trace = null; // the answer: candidates, steps, settings; null while there is none
let of = null; // id of the video that it is about
let scores = []; // of every candidate after `at` picks
let before = []; // and after one pick less
let at = 0;
let chosen = null; // index of a candidate
let arrangement = "score";
let settings = {}; // what was touched here; the rest is the run's
let again = null; // asks for a new answer
const parts = {};

export function startSuppression() {
  on(["video"], () => {
    if (state.video?.id === of) return;
    forget();
    parts.body?.replaceChildren();
  });
  again = whenShown("suppression", ["video", "project", "view"], fill, 200);
  whenShown("suppression", ["theme", "time", "hiddenClasses"], () => trace && drawSoon());
  whenShown("suppression", ["theme"], () => trace && showDecoded());
  new ResizeObserver(() => trace && drawSoon()).observe(byId("suppression"));
}

function forget() {
  trace = chosen = null;
  at = 0;
}

async function fill() {
  const place = byId("suppression");
  const why = whyNoNetwork();
  if (why || !state.video) return place.replaceChildren(words(why ?? "No video is open."));
  if (!parts.cards) build();
  if (!place.contains(parts.body)) place.replaceChildren(...parts.cards);
  const { id } = state.video;
  const [start, stop] = state.view;
  const compute = () => ask(id, { start, stop, limit: LIMIT, ...settings });
  const answer = await filled(parts.body, "The network looks at this span…", compute, trace !== null);
  if (answer === false) forget();
  if (!answer || state.video.id !== id) return false;
  chosen = chosen === null ? null : found(answer.candidates, trace.candidates[chosen]);
  [trace, of] = [answer, id];
  if (!parts.body.contains(parts.canvas)) parts.body.replaceChildren(...parts.shown);
  showSettings();
  go(Math.min(at, trace.steps.length));
}

/** The index of the same candidate in another answer, or null. */
function found(candidates, { level, moment, label }) {
  const index = candidates.findIndex((one) => one.level === level && one.moment === moment && one.label === label);
  return index < 0 ? null : index;
}

function build() {
  parts.canvas = element("canvas", {
    class: "tall",
    tabindex: 0,
    role: "application",
    "aria-label": "Candidates by time and score: arrow keys go from one to the next, from high scores to low",
    click: (event) => choose(pointedAt(event)),
    keydown: press,
    pointermove: hover,
    pointerleave: hideTooltip,
  });
  parts.slider = element("input", {
    id: "step",
    type: "range",
    min: 0,
    step: 1,
    "aria-label": "Step of suppression",
    input: () => go(parts.slider.valueAsNumber),
  });
  parts.says = element("p", { id: "step-says", role: "status" });
  parts.counts = element("p", { class: "faint" });
  parts.back = element("button", { id: "step-back", click: () => go(at - 1), "aria-label": "One pick back" }, "‹");
  parts.on = element("button", { id: "step-on", click: () => go(at + 1), "aria-label": "One pick on" }, "›");
  parts.end = element("button", { id: "step-end", class: "quiet", click: () => go(Infinity) }, "To the end");
  parts.decoded = element("div", { class: "card", id: "decoded" });
  parts.changed = element("div", { class: "card" });
  parts.settings = element("div", { class: "row" });
  parts.shown = [
    element("div", { class: "wide-slider" }, parts.back, parts.slider, parts.on, parts.end),
    parts.says,
    parts.canvas,
    parts.counts,
    element("div", { class: "pair" }, parts.decoded, parts.changed),
  ];
  parts.body = element("div", { class: "body" });
  parts.cards = [
    element(
      "div",
      { class: "card aligned" },
      element("div", { class: "row" }, element("h2", {}, "Candidates"), parts.settings),
      parts.body,
    ),
  ];
}

function showSettings() {
  const { method, sigma, tiou_threshold: threshold, min_score: least } = trace.settings;
  const focused = parts.settings.contains(document.activeElement) ? document.activeElement.id : null;
  if (focused && parts.shownMethod === method) return;
  parts.shownMethod = method;
  const change = (key) => (value) => {
    settings = { ...settings, [key]: value };
    again();
  };
  const setting = (text, key, id, value, [min, max, step], decimals) =>
    slider(text, { id, min, max, step, value, show: (number) => number.toFixed(decimals), change: change(key) });
  const arrangements = [
    ["score", "score"],
    ["level", "score, by level"],
  ];
  const arrange = (value) => {
    arrangement = value;
    drawSoon();
  };
  parts.settings.replaceChildren(
    element("label", { class: "field" }, "Method", choice(METHODS, method, change("method"), { id: "method" })),
    method === "soft" ? setting("σ", "sigma", "sigma", sigma, [0.05, 2, 0.05], 2) : "",
    method === "hard" ? setting("tIoU", "tiou_threshold", "threshold", threshold, [0, 1, 0.05], 2) : "",
    method === "none" ? "" : setting("Least score", "min_score", "least", least, [0, 0.5, 0.001], 3),
    element("label", { class: "field" }, "Height", choice(arrangements, arrangement, arrange, { id: "arrangement" })),
  );
  if (focused) byId(focused)?.focus();
}

/** Of every candidate, when so many picks have been made. */
function scoresAfter(picks) {
  const values = trace.candidates.map((one) => one.score);
  for (const { changed } of trace.steps.slice(0, Math.max(picks, 0))) {
    for (const [index, value] of changed) values[index] = value;
  }
  return values;
}

/** Shows the state after `step` picks. */
function go(step) {
  if (!trace) return;
  at = Math.min(Math.max(step, 0), trace.steps.length);
  before = scoresAfter(at - 1);
  scores = scoresAfter(at);
  parts.slider.max = trace.steps.length;
  parts.slider.value = at;
  parts.back.disabled = at === 0;
  parts.on.disabled = parts.end.disabled = at === trace.steps.length;
  parts.says.textContent = sentence();
  parts.slider.setAttribute("aria-valuetext", parts.says.textContent);
  parts.counts.textContent = counts();
  showChanged();
  showDecoded();
  drawSoon();
}

/** Whether a candidate was removed by a pick so far: only hard suppression removes. */
const gone = (index) => trace.settings.method === "hard" && scores[index] === 0;

function sentence() {
  const { candidates, steps } = trace;
  if (candidates.length === 0) return "No candidates in this span: zoom out, or move on.";
  if (at === 0) return `Before the first pick. ${plural(steps.length, "pick")} will follow: move the slider.`;
  const { pick, score: value, changed } = steps[at - 1];
  const { label, segment } = candidates[pick];
  const does = trace.settings.method === "hard" ? "removes" : "lowers";
  const fate = changed.length ? `${does} ${plural(changed.length, "overlapping candidate")}` : `${does} nothing`;
  return `Pick ${at} of ${steps.length}: ${state.project.classes[label]}, ${span(segment)}, score ${score(value)}; it ${fate}.`;
}

function counts() {
  const byLevel = new Map();
  for (const { level } of trace.candidates) byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
  const levels = [...byLevel]
    .sort((a, b) => a[0] - b[0])
    .map(([level, n]) => `level ${level}: ${n}`)
    .join(", ");
  const more = trace.total > trace.candidates.length ? ` (the best of ${count(trace.total)})` : "";
  return `${plural(trace.candidates.length, "candidate")}${more} from ${clock(state.view[0], 1)} to ${clock(state.view[1], 1)}. ${levels}`;
}

function showChanged() {
  if (at === 0)
    return parts.changed.replaceChildren(
      element("p", { class: "faint" }, "Here stand the candidates that a pick changes."),
    );
  const { changed } = trace.steps[at - 1];
  const rows = changed.map(([index, after]) => ({ ...trace.candidates[index], index, before: before[index], after }));
  rows.sort((a, b) => b.before - b.after - (a.before - a.after));
  const caption =
    rows.length > MOST_ROWS
      ? `What pick ${at} changes most: ${MOST_ROWS} of ${rows.length}`
      : `What pick ${at} changes`;
  parts.changed.replaceChildren(
    table(
      [
        ["Class", (row) => state.project.classes[row.label]],
        ["Time", (row) => span(row.segment)],
        ["Level", (row) => String(row.level), true],
        ["Before", (row) => score(row.before), true],
        ["After", (row) => (gone(row.index) ? "removed" : score(row.after)), true],
      ],
      rows.slice(0, MOST_ROWS),
      caption,
    ),
  );
}

/** How the chosen candidate was decoded, or else the current pick. */
function showDecoded() {
  const index = chosen ?? (at ? trace.steps[at - 1].pick : null);
  if (index === null) {
    const hint = "Click a candidate to see how it was decoded; what is picked shows it too.";
    return parts.decoded.replaceChildren(element("p", { class: "faint" }, hint));
  }
  const one = trace.candidates[index];
  const swatch = element("i", { class: "swatch" });
  swatch.style.background = classColour(one.label);
  const { place, start, end, probability } = decoded(one);
  parts.decoded.replaceChildren(
    element("h3", {}, swatch, `${chosen === null ? `Pick ${at}` : "Chosen"}: ${named(one)}`),
    element("p", {}, `${fate(index)}. How it was decoded:`),
    element(
      "ol",
      {},
      [place, start, end, probability].map((text) => element("li", {}, `${text[0].toUpperCase()}${text.slice(1)}`)),
    ),
  );
}

const named = ({ label, segment }) => `${state.project.classes[label]}, ${span(segment)}`;

/** The score of a candidate now and at first. */
function fate(index) {
  const first = trace.candidates[index].score;
  if (gone(index)) return `Removed, score ${score(first)} at first`;
  return scores[index] === first ? `Score ${score(first)}` : `Score ${score(scores[index])} now, ${score(first)} at first`;
}

/** The arithmetic from a moment of a level to a segment, in words. */
function decoded({ level, moment, offsets: [back, ahead], segment: [from, to], score: probability }) {
  const step = trace.seconds_per_step[level];
  const number = (value, decimals = 2) => value.toFixed(decimals).replace("-", "−");
  const sum = (sign, offset, cut) => {
    const end = moment + (sign === "+" ? offset : -offset) * step;
    const clipped = Math.abs(end - cut) > 0.005 ? `, cut to ${number(cut)} s` : "";
    return `${number(moment, 3)} ${sign} ${number(offset, 3)} × ${number(step, 4)} ≈ ${number(end)} s${clipped}`;
  };
  return {
    place: `level ${level}, moment ${number(moment, 3)} s, one step ${number(step, 4)} s`,
    start: `start = ${sum("−", back, from)}`,
    end: `end = ${sum("+", ahead, to)}`,
    probability: `probability ${score(probability)}`,
  };
}

function describe(index) {
  const one = trace.candidates[index];
  const { place, start, end, probability } = decoded(one);
  return `${named(one)}. ${fate(index)}. Decoded at ${place}: ${start}, ${end}; ${probability}.`;
}

const shown = () => ({ trace, at, scores, before, chosen, gone, byLevel: arrangement === "level" });

const drawSoon = oncePerFrame(() => {
  if (!trace || state.tab !== "suppression" || !parts.canvas.clientWidth) return;
  drawCandidates(parts.canvas, shown());
});

function pointedAt(event) {
  if (!trace) return null;
  const box = parts.canvas.getBoundingClientRect();
  const near = NEAR[event.pointerType] ?? NEAR.mouse;
  return candidateAt(parts.canvas, shown(), event.clientX - box.left, event.clientY - box.top, near);
}

function hover(event) {
  const index = event.pointerType === "touch" ? null : pointedAt(event);
  parts.canvas.style.cursor = index === null ? "" : "pointer";
  showTooltip(event, index === null ? null : describe(index));
}

function choose(index) {
  chosen = index;
  showDecoded();
  drawSoon();
  if (index !== null) speak(describe(index));
}

/** From the best candidate that is drawn to the worst, and back. */
function press(event) {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!trace || (!by && event.key !== "Escape")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!by) return choose(null);
  const order = visible(shown()).reverse();
  const here = chosen === null ? (by > 0 ? -1 : order.length) : order.indexOf(chosen);
  if (order.length) choose(order[Math.min(Math.max(here + by, 0), order.length - 1)]);
}

/** Moves on by so many picks; what the keys call. */
export function stepPicks(by) {
  if (state.tab !== "suppression" || !trace) return;
  go(at + by);
  speak(sentence());
}
