// @ts-check
// From candidates to detections: suppression goes pick by pick, and the scores that it lets decay are seen moving.

import { latest, send, videoAddress } from "./api.js";
import { drawCandidates } from "./candidates.js";
import { classColour } from "./colours.js";
import { byId, choice, element, slider, speak, table, words } from "./elements.js";
import { score, span } from "./format.js";
import { on, oncePerFrame, state } from "./state.js";
import { gestures } from "./suppression_gestures.js";
import { explained, forget, goTo, gone, leveled, picks, take } from "./suppression_state.js";
import { decoded, describeCandidate, describeCounts, describePick, fate, named } from "./suppression_words.js";
import { filled, whenShown, whyNoNetwork } from "./views.js";

const LIMIT = 2000;
const MOST_ROWS = 12;
/** @type {[string, string][]} */
const METHODS = [
  ["soft", "soft: scores decay"],
  ["hard", "hard: overlapping go"],
  ["none", "none: the best stay"],
];

const ask = latest((signal, /** @type {string} */ id, /** @type {Record<string, string | number>} */ asked) =>
  send("POST", videoAddress(id, "suppression"), asked, signal),
);

/** @type {Record<string, string | number>} */
let settings = {}; // what was touched here; the rest is the run's
/** @type {() => void} */
let again = () => {}; // asks for a new answer
/** @type {Record<string, any>} */
const parts = {};

export function startSuppression() {
  on(["video"], () => {
    if (state.video?.id === picks.of) return;
    forget();
    parts.body?.replaceChildren();
  });
  again = whenShown("suppression", ["video", "project", "view"], fill, 200);
  whenShown("suppression", ["theme", "time", "hiddenClasses"], () => picks.trace && drawSoon());
  whenShown("suppression", ["theme"], () => picks.trace && showDecoded());
  new ResizeObserver(() => picks.trace && drawSoon()).observe(byId("suppression"));
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
  const answer = await filled(parts.body, "The network looks at this span…", compute, picks.trace !== null);
  if (answer === false) forget();
  if (!answer || state.video.id !== id) return false;
  take(answer, id);
  if (!parts.body.contains(parts.canvas)) parts.body.replaceChildren(...parts.shown);
  showSettings();
  show();
}

function build() {
  parts.canvas = element("canvas", {
    class: "tall",
    tabindex: 0,
    role: "application",
    "aria-label": "Candidates by time and score: arrow keys go from one to the next, from high scores to low",
    ...gestures(choose),
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
  parts.back = element(
    "button",
    { id: "step-back", click: () => go(picks.at - 1), "aria-label": "One pick back" },
    "‹",
  );
  parts.on = element("button", { id: "step-on", click: () => go(picks.at + 1), "aria-label": "One pick on" }, "›");
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
  const { method, sigma, tiou_threshold: threshold, min_score: least } = picks.trace.settings;
  const focused = parts.settings.contains(document.activeElement) ? document.activeElement?.id : null;
  if (focused && parts.shownMethod === method) return;
  parts.shownMethod = method;
  const change = (/** @type {string} */ key) => (/** @type {string | number} */ value) => {
    settings = { ...settings, [key]: value };
    again();
  };
  /** @type {(text: string, key: string, id: string, value: number, range: [number, number, number], decimals: number) => Node} */
  const setting = (text, key, id, value, [min, max, step], decimals) =>
    slider(text, { id, min, max, step, value, show: (number) => number.toFixed(decimals), change: change(key) });
  /** @type {[string, string][]} */
  const arrangements = [
    ["score", "score"],
    ["level", "score, by level"],
  ];
  const arrange = (/** @type {string} */ value) => {
    picks.byLevel = value === "level";
    drawSoon();
  };
  const height = picks.byLevel ? "level" : "score";
  parts.settings.replaceChildren(
    element("label", { class: "field" }, "Method", choice(METHODS, method, change("method"), { id: "method" })),
    method === "soft" ? setting("σ", "sigma", "sigma", sigma, [0.05, 2, 0.05], 2) : "",
    method === "hard" ? setting("tIoU", "tiou_threshold", "threshold", threshold, [0, 1, 0.05], 2) : "",
    method === "none" ? "" : setting("Least score", "min_score", "least", least, [0, 0.5, 0.001], 3),
    leveled()
      ? element("label", { class: "field" }, "Height", choice(arrangements, height, arrange, { id: "arrangement" }))
      : "",
  );
  if (focused) byId(focused)?.focus();
}

/** Shows the state after `step` picks.
 * @param {number} step
 */
function go(step) {
  if (!picks.trace) return;
  goTo(step);
  show();
}

function show() {
  const { at, trace } = picks;
  parts.slider.max = trace.steps.length;
  parts.slider.value = at;
  parts.back.disabled = at === 0;
  parts.on.disabled = parts.end.disabled = at === trace.steps.length;
  parts.says.textContent = describePick();
  parts.slider.setAttribute("aria-valuetext", parts.says.textContent);
  parts.counts.textContent = describeCounts();
  showChanged();
  showDecoded();
  drawSoon();
}

function showChanged() {
  const { at, before, trace } = picks;
  if (at === 0)
    return parts.changed.replaceChildren(
      element("p", { class: "faint" }, "The candidates that a pick changes appear here."),
    );
  const { changed } = trace.steps[at - 1];
  const rows = changed.map(([index, after]) => ({ ...trace.candidates[index], index, before: before[index], after }));
  rows.sort((a, b) => b.before - b.after - (a.before - a.after));
  const caption =
    rows.length > MOST_ROWS
      ? `What pick ${at} changes most: ${MOST_ROWS} of ${rows.length}`
      : `What pick ${at} changes`;
  /** @type {Column<typeof rows[0]>[]} */
  const levelColumn = leveled() ? [["Level", (row) => String(row.level), true]] : [];
  parts.changed.replaceChildren(
    table(
      [
        ["Class", (row) => state.project.classes[row.label]],
        ["Time", (row) => span(row.segment)],
        ...levelColumn,
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
  const index = explained();
  if (index === null) {
    const hint = "Click a candidate or a pick to see how it was decoded.";
    return parts.decoded.replaceChildren(element("p", { class: "faint" }, hint));
  }
  const one = picks.trace.candidates[index];
  const swatch = element("i", { class: "swatch" });
  swatch.style.background = classColour(one.label);
  parts.decoded.replaceChildren(
    element("h3", {}, swatch, `${picks.chosen === null ? `Pick ${picks.at}` : "Chosen"}: ${named(one)}`),
    element("p", {}, `${fate(index)}. How it was decoded:`),
    element(
      "ol",
      {},
      decoded(one).map((text) => element("li", {}, `${text[0].toUpperCase()}${text.slice(1)}`)),
    ),
  );
}

const drawSoon = oncePerFrame(() => {
  if (!picks.trace || state.tab !== "suppression" || !parts.canvas.clientWidth) return;
  drawCandidates(parts.canvas, picks);
});

/** @param {number | null} index */
function choose(index) {
  picks.chosen = index;
  showDecoded();
  drawSoon();
  if (index !== null) speak(describeCandidate(index));
}

/** Moves on by so many picks; what the keys call.
 * @param {number} by
 */
export function stepPicks(by) {
  if (state.tab !== "suppression" || !picks.trace) return;
  go(picks.at + by);
  speak(describePick());
}
