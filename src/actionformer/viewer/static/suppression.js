// From candidates to detections: suppression goes pick by pick, and the scores that it lets decay are seen moving.

import { latest, send, videoAddress } from "./api.js";
import { classColour, themed } from "./colours.js";
import { prepare, scaleOf } from "./drawing.js";
import { byId, choice, element, slider, speak, table, words } from "./elements.js";
import { clock, plural, score, span } from "./format.js";
import { oncePerFrame, state } from "./state.js";
import { gutter } from "./timeline.js";
import { delayed, filled, whenShown, whyNoNetwork } from "./views.js";

const LIMIT = 2000;
const HEIGHT = 330;
const MOST_ROWS = 12;

const ask = latest((signal, id, asked) => send("POST", videoAddress(id, "suppression"), asked, signal));

let trace = null; // the answer: candidates, steps, settings
let scores = []; // of every candidate after `at` steps
let at = 0;
let arrangement = "score";
let settings = {}; // what was touched here; the rest is the run's
const parts = {};

export function startSuppression() {
  whenShown("suppression", ["video", "project", "view"], () => (trace ? later() : fill()));
  whenShown("suppression", ["theme", "time", "hiddenClasses"], () => trace && drawSoon());
  new ResizeObserver(() => trace && drawSoon()).observe(byId("suppression"));
}

const later = delayed(() => state.tab === "suppression" && fill(), 200);

async function fill() {
  const place = byId("suppression");
  const why = whyNoNetwork();
  if (why || !state.video) return place.replaceChildren(words(why ?? "No video is open."));
  const [start, stop] = state.view;
  const compute = () => ask(state.video.id, { start, stop, limit: LIMIT, ...settings });
  const answer = await filled(place, "The network looks at this span…", compute, trace !== null);
  if (!answer) return;
  trace = answer;
  if (!parts.cards) build();
  if (!place.contains(parts.canvas)) place.replaceChildren(...parts.cards);
  showSettings();
  go(Math.min(at, trace.steps.length));
}

function build() {
  parts.canvas = element("canvas", { class: "tall", role: "img", "aria-label": "Candidates by time and score" });
  parts.slider = element("input", { id: "step", type: "range", min: 0, step: 1, "aria-label": "Step of suppression", input: () => go(parts.slider.valueAsNumber) });
  parts.says = element("p", { id: "step-says", role: "status" });
  parts.counts = element("p", { class: "faint" });
  parts.changed = element("div", {});
  parts.settings = element("div", { class: "row" });
  parts.cards = [
    element("div", { class: "card aligned" },
      element("div", { class: "row" }, element("h2", {}, "Candidates of this span"), parts.settings),
      parts.counts,
      element("div", { class: "wide-slider" },
        element("button", { id: "step-back", click: () => go(at - 1), "aria-label": "One pick back" }, "‹"),
        parts.slider,
        element("button", { id: "step-on", click: () => go(at + 1), "aria-label": "One pick on" }, "›"),
        element("button", { id: "step-end", class: "quiet", click: () => go(trace.steps.length) }, "To the end")),
      parts.says, parts.canvas),
    element("div", { class: "card" }, parts.changed),
  ];
}

function showSettings() {
  const { method, sigma, tiou_threshold: threshold, min_score: least } = trace.settings;
  const change = (key) => (value) => {
    settings = { ...settings, [key]: value };
    later();
  };
  if (parts.settings.contains(document.activeElement) && parts.shownMethod === method) return;
  parts.shownMethod = method;
  parts.settings.replaceChildren(
    element("label", { class: "field" }, "Method", choice([["soft", "soft: scores decay"], ["hard", "hard: overlapping go"]], method, change("method"), { id: "method" })),
    method === "soft"
      ? slider("σ", { id: "sigma", min: 0.05, max: 2, step: 0.05, value: sigma, show: (value) => value.toFixed(2), change: change("sigma") })
      : slider("tIoU", { id: "threshold", min: 0, max: 1, step: 0.05, value: threshold, show: (value) => value.toFixed(2), change: change("tiou_threshold") }),
    slider("Least score", { id: "least", min: 0, max: 0.5, step: 0.001, value: least, show: (value) => value.toFixed(3), change: change("min_score") }),
    element("label", { class: "field" }, "Height", choice([["score", "score"], ["level", "score, by level"]], arrangement, (value) => {
      arrangement = value;
      drawSoon();
    }, { id: "arrangement" })),
  );
}

/** Shows the state after `step` picks. */
function go(step) {
  at = Math.min(Math.max(step, 0), trace.steps.length);
  scores = trace.candidates.map((one) => one.score);
  trace.steps.slice(0, at).forEach(({ changed }) => changed.forEach(([index, value]) => (scores[index] = value)));
  parts.slider.max = trace.steps.length;
  parts.slider.value = at;
  byId("step-back").disabled = at === 0;
  byId("step-on").disabled = byId("step-end").disabled = at === trace.steps.length;
  parts.says.textContent = sentence();
  parts.slider.setAttribute("aria-valuetext", parts.says.textContent);
  parts.counts.textContent = counts();
  showChanged();
  drawSoon();
}

function sentence() {
  const { candidates, steps } = trace;
  if (candidates.length === 0) return "No candidates in this span: zoom out, or move on.";
  if (at === 0) return `Before the first pick. ${plural(steps.length, "pick")} will follow: move the slider.`;
  const { pick, score: value, changed } = steps[at - 1];
  const { label, segment } = candidates[pick];
  const gone = changed.filter(([, left]) => left === 0).length;
  const fate = changed.length === 0 ? "nothing overlaps it"
    : gone === changed.length ? `${plural(gone, "overlapping candidate")} removed`
    : `${plural(changed.length - gone, "overlapping candidate")} decayed${gone ? `, ${gone} removed` : ""}`;
  return `Pick ${at} of ${steps.length}: ${state.project.classes[label]}, ${span(segment)}, score ${score(value)}; ${fate}.`;
}

function counts() {
  const byLevel = new Map();
  for (const { level } of trace.candidates) byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
  const levels = [...byLevel].sort((a, b) => a[0] - b[0]).map(([level, n]) => `level ${level}: ${n}`).join(", ");
  const more = trace.total > trace.candidates.length ? ` (the best of ${trace.total})` : "";
  return `${plural(trace.candidates.length, "candidate")}${more} from ${clock(state.view[0], 1)} to ${clock(state.view[1], 1)}. ${levels}`;
}

function scoreBefore(index) {
  const last = trace.steps.slice(0, at - 1).findLast(({ changed }) => changed.some(([one]) => one === index));
  return last ? last.changed.findLast(([one]) => one === index)[1] : trace.candidates[index].score;
}

function showChanged() {
  if (at === 0) return parts.changed.replaceChildren(element("p", { class: "faint" }, "Here stand the candidates that a pick changes."));
  const { changed } = trace.steps[at - 1];
  const rows = changed.map(([index, after]) => ({ ...trace.candidates[index], before: scoreBefore(index), after }));
  rows.sort((a, b) => b.before - b.after - (a.before - a.after));
  const caption = rows.length > MOST_ROWS
    ? `What pick ${at} changes most: ${MOST_ROWS} of ${rows.length}` : `What pick ${at} changes`;
  parts.changed.replaceChildren(table([
    ["Class", (row) => state.project.classes[row.label]],
    ["Time", (row) => span(row.segment)],
    ["Level", (row) => String(row.level), true],
    ["Before", (row) => score(row.before), true],
    ["After", (row) => (row.after === 0 ? "removed" : score(row.after)), true],
  ], rows.slice(0, MOST_ROWS), caption));
}

const drawSoon = oncePerFrame(draw);

function draw() {
  if (!trace || state.tab !== "suppression" || !parts.canvas.clientWidth) return;
  const left = gutter();
  const width = parts.canvas.clientWidth - left - 8;
  const context = prepare(parts.canvas, left + width + 8, HEIGHT);
  const place = { scale: scaleOf(state.view, left, width), left, width, bands: bands() };
  drawScale(context, place);
  context.save();
  context.beginPath();
  context.rect(left, 0, width, HEIGHT);
  context.clip();
  drawCandidates(context, place);
  drawPicks(context, place);
  context.fillStyle = themed("missed");
  context.fillRect(place.scale.x(state.time) - 1, 0, 2, HEIGHT);
  context.restore();
}

/** From the level of a candidate to the band of heights it is drawn in: {level, top, height}. */
function bands() {
  if (arrangement === "score") return [{ level: null, top: 12, height: HEIGHT - 24 }];
  const levels = [...new Set(trace.candidates.map(({ level }) => level))].sort((a, b) => a - b);
  const height = (HEIGHT - 12) / Math.max(levels.length, 1);
  return levels.map((level, i) => ({ level, top: 10 + i * height, height: height - 10 }));
}

/** Small scores are as many as they matter little: the height is the root of the score. */
function heightOf(place, { level }, value) {
  const band = place.bands.find((one) => one.level === null || one.level === level);
  return band.top + band.height * (1 - Math.sqrt(value));
}

function drawScale(context, { bands: all, left, width }) {
  context.strokeStyle = themed("line");
  context.fillStyle = themed("faint");
  for (const { level, top, height } of all) {
    for (const value of level === null ? [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1] : [0, 1]) {
      const y = Math.round(top + height * (1 - Math.sqrt(value))) + 0.5;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(left + width, y);
      context.stroke();
      if (level === null) context.fillText(String(value), left - 34, y);
    }
    context.fillText(level === null ? "score" : `level ${level}`, 12, level === null ? 12 : top + height / 2);
  }
}

function drawCandidates(context, place) {
  const picked = new Set(trace.steps.slice(0, at).map(({ pick }) => pick));
  const changing = new Set(at ? trace.steps[at - 1].changed.map(([index]) => index) : []);
  trace.candidates.forEach((one, index) => {
    if (picked.has(index) || scores[index] === 0 || state.hiddenClasses.has(one.label)) return;
    bar(context, place, one, scores[index], changing.has(index) ? 3 : 2, changing.has(index) ? 1 : 0.4);
  });
  for (const index of changing) drawFall(context, place, index);
}

function bar(context, place, { segment, label, level }, value, thick, alpha) {
  const [from, to] = segment.map(place.scale.x);
  context.globalAlpha = alpha;
  context.fillStyle = classColour(label);
  context.fillRect(from, heightOf(place, { level }, value) - thick / 2, Math.max(to - from, 2), thick);
  context.globalAlpha = 1;
}

/** From the score before the pick down to the one after it. */
function drawFall(context, place, index) {
  const one = trace.candidates[index];
  const x = place.scale.x((one.segment[0] + one.segment[1]) / 2);
  context.strokeStyle = themed("text");
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(x, heightOf(place, one, scoreBefore(index)));
  context.lineTo(x, heightOf(place, one, scores[index]));
  context.stroke();
  context.setLineDash([]);
}

function drawPicks(context, place) {
  trace.steps.slice(0, at).forEach(({ pick, score: value }, i) => {
    const one = trace.candidates[pick];
    const newest = i === at - 1;
    bar(context, place, one, value, newest ? 8 : 5, 1);
    const [from, to] = one.segment.map(place.scale.x);
    const y = heightOf(place, one, value);
    if (newest) {
      context.strokeStyle = themed("text");
      context.strokeRect(from - 0.5, y - 4.5, Math.max(to - from, 2) + 1, 9);
    }
    if (newest || to - from > 18) {
      context.fillStyle = themed("text");
      context.fillText(String(i + 1), (from + to) / 2 - 3, y - 10 < 6 ? y + 13 : y - 10);
    }
  });
}

/** Moves on by so many picks; what the keys call. */
export function stepPicks(by) {
  if (state.tab !== "suppression" || !trace) return;
  go(at + by);
  speak(sentence());
}
