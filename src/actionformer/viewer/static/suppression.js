// From candidates to detections: suppression goes pick by pick, and the scores that it lets decay are seen moving.

import { latest, send, videoAddress } from "./api.js";
import { drawCandidates } from "./candidates.js";
import { byId, choice, element, slider, speak, table, words } from "./elements.js";
import { clock, plural, score, span } from "./format.js";
import { oncePerFrame, state } from "./state.js";
import { delayed, filled, whenShown, whyNoNetwork } from "./views.js";

const LIMIT = 2000;
const MOST_ROWS = 12;

const ask = latest((signal, id, asked) => send("POST", videoAddress(id, "suppression"), asked, signal));

let trace = null; // the answer: candidates, steps, settings
let scores = []; // of every candidate after `at` picks
let before = []; // and after one pick less
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
  parts.changed = element("div", {});
  parts.settings = element("div", { class: "row" });
  parts.cards = [
    element(
      "div",
      { class: "card aligned" },
      element("div", { class: "row" }, element("h2", {}, "Candidates of this span"), parts.settings),
      parts.counts,
      element(
        "div",
        { class: "wide-slider" },
        element("button", { id: "step-back", click: () => go(at - 1), "aria-label": "One pick back" }, "‹"),
        parts.slider,
        element("button", { id: "step-on", click: () => go(at + 1), "aria-label": "One pick on" }, "›"),
        element("button", { id: "step-end", class: "quiet", click: () => go(trace.steps.length) }, "To the end"),
      ),
      parts.says,
      parts.canvas,
    ),
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
    element(
      "label",
      { class: "field" },
      "Method",
      choice(
        [
          ["soft", "soft: scores decay"],
          ["hard", "hard: overlapping go"],
        ],
        method,
        change("method"),
        { id: "method" },
      ),
    ),
    method === "soft"
      ? slider("σ", {
          id: "sigma",
          min: 0.05,
          max: 2,
          step: 0.05,
          value: sigma,
          show: (value) => value.toFixed(2),
          change: change("sigma"),
        })
      : slider("tIoU", {
          id: "threshold",
          min: 0,
          max: 1,
          step: 0.05,
          value: threshold,
          show: (value) => value.toFixed(2),
          change: change("tiou_threshold"),
        }),
    slider("Least score", {
      id: "least",
      min: 0,
      max: 0.5,
      step: 0.001,
      value: least,
      show: (value) => value.toFixed(3),
      change: change("min_score"),
    }),
    element(
      "label",
      { class: "field" },
      "Height",
      choice(
        [
          ["score", "score"],
          ["level", "score, by level"],
        ],
        arrangement,
        (value) => {
          arrangement = value;
          drawSoon();
        },
        { id: "arrangement" },
      ),
    ),
  );
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
  at = Math.min(Math.max(step, 0), trace.steps.length);
  before = scoresAfter(at - 1);
  scores = scoresAfter(at);
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
  const fate =
    changed.length === 0
      ? "nothing overlaps it"
      : gone === changed.length
        ? `${plural(gone, "overlapping candidate")} removed`
        : `${plural(changed.length - gone, "overlapping candidate")} decayed${gone ? `, ${gone} removed` : ""}`;
  return `Pick ${at} of ${steps.length}: ${state.project.classes[label]}, ${span(segment)}, score ${score(value)}; ${fate}.`;
}

function counts() {
  const byLevel = new Map();
  for (const { level } of trace.candidates) byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
  const levels = [...byLevel]
    .sort((a, b) => a[0] - b[0])
    .map(([level, n]) => `level ${level}: ${n}`)
    .join(", ");
  const more = trace.total > trace.candidates.length ? ` (the best of ${trace.total})` : "";
  return `${plural(trace.candidates.length, "candidate")}${more} from ${clock(state.view[0], 1)} to ${clock(state.view[1], 1)}. ${levels}`;
}

function showChanged() {
  if (at === 0)
    return parts.changed.replaceChildren(
      element("p", { class: "faint" }, "Here stand the candidates that a pick changes."),
    );
  const { changed } = trace.steps[at - 1];
  const rows = changed.map(([index, after]) => ({ ...trace.candidates[index], before: before[index], after }));
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
        ["After", (row) => (row.after === 0 ? "removed" : score(row.after)), true],
      ],
      rows.slice(0, MOST_ROWS),
      caption,
    ),
  );
}

const drawSoon = oncePerFrame(() => {
  if (!trace || state.tab !== "suppression" || !parts.canvas.clientWidth) return;
  drawCandidates(parts.canvas, { trace, at, scores, before, byLevel: arrangement === "level" });
});

/** Moves on by so many picks; what the keys call. */
export function stepPicks(by) {
  if (state.tab !== "suppression" || !trace) return;
  go(at + by);
  speak(sentence());
}
