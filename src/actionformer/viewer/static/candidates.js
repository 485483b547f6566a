// The picture of candidates: time across, score upwards, what suppression picks on top of what it lowers.

import { classColour, themed } from "./colours.js";
import { prepare, scaleOf } from "./drawing.js";
import { state } from "./state.js";
import { gutter } from "./timeline.js";

const HEIGHT = 330;

/** Draws the state after `at` picks of a trace: `scores` are those now, `before` those one pick ago. */
export function drawCandidates(canvas, shown) {
  const left = gutter();
  const width = canvas.clientWidth - left - 8;
  const context = prepare(canvas, left + width + 8, HEIGHT);
  const place = { scale: scaleOf(state.view, left, width), left, width, bands: bandsOf(shown) };
  drawScale(context, place);
  context.save();
  context.beginPath();
  context.rect(left, 0, width, HEIGHT);
  context.clip();
  drawWaiting(context, place, shown);
  drawPicks(context, place, shown);
  context.fillStyle = themed("missed");
  context.fillRect(place.scale.x(state.time) - 1, 0, 2, HEIGHT);
  context.restore();
}

/** Bands of heights, one for all candidates (its level is null) or one a level: [{level, top, height}]. */
function bandsOf({ trace, byLevel }) {
  if (!byLevel) return [{ level: null, top: 12, height: HEIGHT - 24 }];
  const levels = [...new Set(trace.candidates.map(({ level }) => level))].sort((a, b) => a - b);
  const height = (HEIGHT - 12) / Math.max(levels.length, 1);
  return levels.map((level, i) => ({ level, top: 10 + i * height, height: height - 10 }));
}

/** Small scores are as many as they matter little: the height is the root of the score. */
function heightOf({ bands }, { level }, value) {
  const band = bands.find((one) => one.level === null || one.level === level);
  return band.top + band.height * (1 - Math.sqrt(value));
}

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

function drawWaiting(context, place, { trace, at, scores, before }) {
  const picked = new Set(trace.steps.slice(0, at).map(({ pick }) => pick));
  const changing = new Set(at ? trace.steps[at - 1].changed.map(([index]) => index) : []);
  trace.candidates.forEach((one, index) => {
    if (picked.has(index) || scores[index] === 0 || state.hiddenClasses.has(one.label)) return;
    bar(context, place, one, scores[index], changing.has(index) ? 3 : 2, changing.has(index) ? 1 : 0.4);
  });
  for (const index of changing) drawFall(context, place, trace.candidates[index], before[index], scores[index]);
}

function bar(context, place, { segment, label, level }, value, thick, alpha) {
  const [from, to] = segment.map(place.scale.x);
  context.globalAlpha = alpha;
  context.fillStyle = classColour(label);
  context.fillRect(from, heightOf(place, { level }, value) - thick / 2, Math.max(to - from, 2), thick);
  context.globalAlpha = 1;
}

/** From the score before the pick down to the one after it. */
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

function drawPicks(context, place, { trace, at }) {
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
