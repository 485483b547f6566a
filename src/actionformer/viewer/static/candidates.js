// @ts-check
// The picture of candidates: time across, score upwards, what suppression picks on top of what it lowers.

import { prepare, scaleOf } from "./canvas.js";
import { classColour, themed } from "./colours.js";
import { state } from "./state.js";
import { gone, leveled } from "./suppression_state.js";
import { gutter } from "./surface.js";

const HEIGHT = 330;
const BESIDE = 14; // pixels between a chosen candidate and its offsets

/** Draws the state after `at` picks of a trace: `scores` are those now, `before` those one pick ago, `chosen` is the
 * index of a candidate or null.
 * @param {HTMLCanvasElement} canvas
 * @param {Picks} shown
 */
export function drawCandidates(canvas, shown) {
  const place = placeOf(canvas, shown);
  const { left, width } = place;
  const context = prepare(canvas, left + width + 8, HEIGHT);
  drawScale(context, place);
  context.save();
  context.beginPath();
  context.rect(left, 0, width, HEIGHT);
  context.clip();
  if (shown.byLevel) drawMoments(context, place, shown);
  drawWaiting(context, place, shown);
  drawPicks(context, place, shown);
  if (shown.chosen !== null) drawChosen(context, place, shown, shown.chosen);
  context.fillStyle = themed("missed");
  context.fillRect(place.scale.x(state.time) - 1, 0, 2, HEIGHT);
  context.restore();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Picks} shown
 * @returns {CandidateArea}
 */
function placeOf(canvas, shown) {
  const left = gutter();
  const width = canvas.clientWidth - left - 8;
  return { scale: scaleOf(state.view, left, width), left, width, bands: bandsOf(shown) };
}

/** The index of the candidate nearest to a point of the canvas, within `slack` pixels; null if there is none.
 * @param {HTMLCanvasElement} canvas
 * @param {Picks} shown
 * @param {number} x
 * @param {number} y
 * @param {number} slack
 */
export function candidateAt(canvas, shown, x, y, slack) {
  const place = placeOf(canvas, shown);
  /** @type {number | null} */
  let nearest = null;
  let least = slack;
  for (const index of visible(shown)) {
    const one = shown.trace.candidates[index];
    const [from, to] = one.segment.map(place.scale.x);
    const away = Math.max(from - x, x - to, Math.abs(heightOf(place, one, shown.scores[index]) - y));
    if (away <= least) [nearest, least] = [index, away];
  }
  return nearest;
}

/** The indices of the candidates that are drawn, worst first.
 * @param {Picks} shown
 */
export function visible({ trace, scores }) {
  const shown = [...trace.candidates.keys()].filter(
    (index) => !gone(index) && !state.hiddenClasses.has(trace.candidates[index].label),
  );
  return shown.sort((a, b) => scores[a] - scores[b]);
}

/** Bands of heights, one for all candidates (its level is null) or one a level: [{level, top, height}].
 * @param {Picks} shown
 * @returns {Band[]}
 */
function bandsOf({ trace, byLevel }) {
  if (!byLevel) return [{ level: null, top: 12, height: HEIGHT - 24 }];
  const levels = [...new Set(trace.candidates.map(({ level }) => level))].sort((a, b) => a - b);
  const height = (HEIGHT - 12) / Math.max(levels.length, 1);
  return levels.map((level, i) => ({ level, top: 10 + i * height, height: height - 10 }));
}

/** @type {(place: CandidateArea, one: {level: number}) => Band} */
const bandOf = ({ bands }, { level }) => bands.find((one) => one.level === null || one.level === level) ?? bands[0];

/** Small scores are as many as they matter little: the height is the root of the score.
 * @param {CandidateArea} place
 * @param {{level: number}} one
 * @param {number} value
 */
function heightOf(place, one, value) {
  const band = bandOf(place, one);
  return band.top + band.height * (1 - Math.sqrt(Math.min(value, 1)));
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 */
function drawScale(context, { bands, left, width }) {
  context.strokeStyle = themed("line");
  context.fillStyle = themed("faint");
  for (const { level, top, height } of bands) {
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

/** The moments that proposed the candidates, at the foot of their levels.
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Picks} shown
 */
function drawMoments(context, place, shown) {
  context.fillStyle = themed("faint");
  for (const index of visible(shown)) {
    const one = shown.trace.candidates[index];
    context.fillRect(place.scale.x(one.moment) - 1, footOf(place, one) - 1, 2, 3);
  }
}

/** @type {(place: CandidateArea, one: Candidate) => number} */
const footOf = (place, one) => bandOf(place, one).top + bandOf(place, one).height + 2;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Picks} shown
 */
function drawWaiting(context, place, shown) {
  const { trace, at, scores, before } = shown;
  const picked = new Set(trace.steps.slice(0, at).map(({ pick }) => pick));
  const changing = new Set(at ? trace.steps[at - 1].changed.map(([index]) => index) : []);
  for (const index of visible(shown)) {
    if (picked.has(index)) continue;
    const one = trace.candidates[index];
    bar(context, place, one, scores[index], changing.has(index) ? 3 : 2, changing.has(index) ? 1 : 0.4);
  }
  for (const index of changing) drawFall(context, place, trace.candidates[index], before[index], scores[index]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Candidate} one
 * @param {number} value
 * @param {number} thick
 * @param {number} alpha
 */
function bar(context, place, { segment, label, level }, value, thick, alpha) {
  const [from, to] = segment.map(place.scale.x);
  context.globalAlpha = alpha;
  context.fillStyle = classColour(label);
  context.fillRect(from, heightOf(place, { level }, value) - thick / 2, Math.max(to - from, 2), thick);
  context.globalAlpha = 1;
}

/** From the score before the pick down to the one after it.
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Candidate} one
 * @param {number} before
 * @param {number} after
 */
function drawFall(context, place, one, before, after) {
  const x = place.scale.x((one.segment[0] + one.segment[1]) / 2);
  context.strokeStyle = themed("text");
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(x, heightOf(place, one, before));
  context.lineTo(x, heightOf(place, one, after));
  context.stroke();
  context.setLineDash([]);
}

/** The newest pick last, on top; the numbers of as many as have room, the newest first.
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Picks} shown
 */
function drawPicks(context, place, { trace, at }) {
  const picks = trace.steps.slice(0, at).map(({ pick, score: value }, i) => {
    const one = trace.candidates[pick];
    const [from, to] = one.segment.map(place.scale.x);
    return { one, value, number: i + 1, from, to, y: heightOf(place, one, value) };
  });
  const newest = picks.at(-1);
  for (const pick of picks) bar(context, place, pick.one, pick.value, pick === newest ? 8 : 5, 1);
  if (newest) {
    context.strokeStyle = themed("text");
    context.strokeRect(newest.from - 0.5, newest.y - 4.5, Math.max(newest.to - newest.from, 2) + 1, 9);
  }
  context.fillStyle = themed("text");
  const bars = picks.map(({ from, to, y }) => ({ x: from, y, width: to - from, height: 4 }));
  /** @type {Box[]} */
  const taken = [];
  for (const pick of [...picks].reverse()) {
    const { number, from, to, y } = pick;
    const width = context.measureText(String(number)).width;
    const box = { x: (from + to - width) / 2, y: y < 16 ? y + 13 : y - 10, width, height: 12 };
    const isIn = (/** @type {Box} */ other) => meet(box, other);
    if (pick !== newest && (taken.some(isIn) || bars.some(isIn))) continue;
    taken.push(box);
    context.fillText(String(number), box.x, box.y);
  }
}

/** Whether two boxes around a middle height `y` come near each other.
 * @type {(a: Box, b: Box) => boolean}
 */
const meet = (a, b) =>
  a.x < b.x + b.width + 3 && b.x < a.x + a.width + 3 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

/** On top of all; where there are levels its moment as a dot, and its offsets as lines from there to start and end.
 * @param {CanvasRenderingContext2D} context
 * @param {CandidateArea} place
 * @param {Picks} shown
 * @param {number} chosen
 */
function drawChosen(context, place, { trace, scores, byLevel }, chosen) {
  const one = trace.candidates[chosen];
  const [from, to] = one.segment.map(place.scale.x);
  const y = heightOf(place, one, scores[chosen]);
  bar(context, place, one, scores[chosen], 8, 1);
  context.strokeStyle = themed("focus");
  context.lineWidth = 2;
  context.strokeRect(from - 1, y - 5, Math.max(to - from, 2) + 2, 10);
  if (!leveled()) return;
  const moment = place.scale.x(one.moment);
  const beside = byLevel ? footOf(place, one) : y > 2 * BESIDE ? y - BESIDE : y + BESIDE;
  context.strokeStyle = context.fillStyle = themed("text");
  context.lineWidth = 1;
  const lines = [
    [from, beside, to, beside],
    [from, beside - 4, from, beside + 4],
    [to, beside - 4, to, beside + 4],
    [moment, beside, moment, y],
  ];
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of lines) {
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
  }
  context.stroke();
  context.beginPath();
  context.arc(moment, beside, 4, 0, 2 * Math.PI);
  context.fill();
}
