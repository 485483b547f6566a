// @ts-check
// The timeline's pixels: ruler, lanes and overview, each a function of a canvas context and what it shows.

import { classColour, themed } from "./colours.js";
import { clock } from "./format.js";
import { SIZES, isFound } from "./lanes.js";
import { drawAction, drawDetection, drawDraft, drawRing, drawRunning } from "./marks.js";

const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200,
];
const OUTSIDE = 3; // pixels

/** Times along the top, and frames where they are wide enough to be seen.
 * @param {CanvasRenderingContext2D} context
 * @param {Area & {view: Span, fps: number | null, start: number, height: number}} options
 */
export function drawRuler(context, { scale, view, left, width, fps, start, height }) {
  const step = STEPS.find((one) => one * scale.perSecond >= 84) ?? STEPS[STEPS.length - 1];
  const decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  context.fillStyle = themed("faint");
  context.strokeStyle = themed("line");
  context.lineWidth = 1;
  context.beginPath();
  for (let i = Math.ceil(view[0] / step); i * step <= view[1]; i += 1) {
    const x = Math.round(scale.x(i * step)) + 0.5;
    context.moveTo(x, SIZES.ruler - 6);
    context.lineTo(x, height);
    if (x < left + width - 40) context.fillText(clock(i * step, decimals), x + 4, SIZES.ruler / 2);
  }
  if (fps && scale.perSecond / fps >= 5) {
    for (let frame = Math.ceil((view[0] - start) * fps); frame <= (view[1] - start) * fps; frame += 1) {
      const x = Math.round(scale.x(start + frame / fps)) + 0.5;
      context.moveTo(x, SIZES.ruler - 3);
      context.lineTo(x, SIZES.ruler);
    }
  }
  context.stroke();
}

/** One lane after the other, moved up by `scrolled` pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {Lane[]} lanes
 * @param {State} state
 * @param {Area & {height: number, scrolled: number}} options
 */
export function drawLanes(context, lanes, state, { scale, left, width, height, scrolled }) {
  context.save();
  context.beginPath();
  context.rect(0, SIZES.ruler, left + width, height - SIZES.ruler);
  context.clip();
  context.translate(0, SIZES.ruler - scrolled);
  for (const lane of lanes) {
    if (lane.top + lane.height < scrolled || lane.top > scrolled + height) continue;
    drawLane(context, lane, state, { scale, left, width });
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Lane} lane
 * @param {State} state
 * @param {Area} options
 */
function drawLane(context, lane, state, { scale, left, width }) {
  const colour = classColour(lane.label);
  const { detections } = state.video;
  context.strokeStyle = themed("line");
  context.beginPath();
  context.moveTo(0, Math.round(lane.top + lane.height) - 0.5);
  context.lineTo(left + width, Math.round(lane.top + lane.height) - 0.5);
  context.stroke();
  drawName(context, lane, state.project.classes[lane.label], colour, left);
  context.save();
  context.beginPath();
  context.rect(left, lane.top, width, lane.height);
  context.clip();
  const seen = (/** @type {Span} */ [start, end]) => end >= state.view[0] && start <= state.view[1];
  for (let i = lane.detections.length - 1; i >= 0; i -= 1) {
    const { index, row } = lane.detections[i];
    const detection = detections[index];
    if (!seen(detection.segment)) continue;
    const box = boxOf(detection.segment, scale, lane.top + SIZES.gap / 2 + row * SIZES.row, SIZES.row - 3);
    const chosen = isChosen(state, "detection", index);
    if (state.project.labelling) drawDraft(context, detection, box, colour, chosen);
    else drawDetection(context, detection, box, colour, chosen);
  }
  const crowded = lane.crowded.filter((index) => seen(detections[index].segment));
  if (crowded.length)
    drawStrip(
      context,
      lane,
      crowded.map((index) => detections[index].segment),
      colour,
      { scale, left, width },
    );
  for (const index of crowded) {
    if (!isChosen(state, "detection", index)) continue;
    const { x, y, width: wide, height } = boxOf(detections[index].segment, scale, lane.crowdedTop, SIZES.strip - 3);
    drawRing(context, x, y, wide, height);
  }
  for (const { index, row } of lane.actions) {
    const { segment } = state.actions[index];
    if (!seen(segment)) continue;
    const box = boxOf(segment, scale, lane.actionTop + row * SIZES.action, SIZES.action - 2);
    drawAction(context, box, colour, {
      missed: isFound(state, index) === false,
      chosen: isChosen(state, "action", index),
      editing: state.editing,
    });
  }
  if (lane.running) {
    const { start, row } = lane.running;
    const span = /** @type {Span} */ ([Math.min(start, state.time), Math.max(start, state.time)]);
    drawRunning(context, boxOf(span, scale, lane.actionTop + row * SIZES.action, SIZES.action - 2), colour);
  }
  context.restore();
}

/** How many detections that found no row lie at every pixel: the more, the stronger.
 * @param {CanvasRenderingContext2D} context
 * @param {Lane} lane
 * @param {Span[]} segments
 * @param {string} colour
 * @param {Area} options
 */
function drawStrip(context, { crowdedTop }, segments, colour, { scale, left, width }) {
  const counts = new Uint16Array(Math.ceil(width) + 1);
  for (const [start, end] of segments) {
    const last = Math.min(Math.floor(scale.x(end) - left), counts.length - 1);
    for (let x = Math.max(Math.floor(scale.x(start) - left), 0); x <= last; x += 1) counts[x] += 1;
  }
  context.fillStyle = colour;
  for (let x = 0, begin = 0; x < counts.length; x = begin) {
    while (begin < counts.length && counts[begin] === counts[x]) begin += 1; // as one piece
    context.globalAlpha = counts[x] && 1 - 0.8 ** counts[x];
    context.fillRect(left + x, crowdedTop, begin - x, SIZES.strip - 3);
  }
  context.globalAlpha = 1;
}

/** @type {(state: State, type: Thing["type"], index: number) => boolean} */
const isChosen = ({ chosen }, type, index) => chosen?.type === type && chosen.index === index;

/** What began before the span that is shown begins just outside of it, so that its text is seen.
 * @param {Span} segment
 * @param {Scale} scale
 * @param {number} y
 * @param {number} height
 * @returns {Box}
 */
function boxOf([start, end], scale, y, height) {
  const x = Math.max(scale.x(start), scale.left - OUTSIDE);
  return { x, y, width: Math.max(scale.x(end) - x, 2), height };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Lane} lane
 * @param {string} name
 * @param {string} colour
 * @param {number} left
 */
function drawName(context, lane, name, colour, left) {
  const middle = lane.top + lane.height / 2;
  context.fillStyle = colour;
  context.fillRect(4, lane.top + 5, 4, lane.height - 10);
  context.fillStyle = themed("text");
  context.fillText(fitting(context, name, left - 20), 14, middle);
  if (!lane.crowded.length) return;
  context.fillStyle = themed("faint");
  context.fillText(`+${lane.crowded.length}`, 14, lane.crowdedTop + SIZES.strip / 2 - 1);
}

/** @type {Map<string, string>} */
const fitted = new Map(); // measuring text is slow, and every frame asks for the same names

/** The text, or as much of its beginning and its end as fits around an ellipsis: names often share their beginning.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} width
 * @returns {string}
 */
function fitting(context, text, width) {
  const key = `${width} ${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  const fits = (/** @type {string} */ one) => context.measureText(one).width <= width;
  const letters = [...text];
  const cut = (/** @type {number} */ kept) =>
    `${letters.slice(0, Math.ceil(kept / 2)).join("")}…${letters.slice(letters.length - Math.floor(kept / 2)).join("")}`;
  let [kept, shown] = [letters.length, text];
  while (kept > 1 && !fits(shown)) shown = cut((kept -= 1));
  fitted.set(key, shown);
  return shown;
}

/** The whole video in one strip: the best score of every pixel, and ground truth beneath.
 * @param {CanvasRenderingContext2D} context
 * @param {Lane[]} lanes
 * @param {State} state
 * @param {Area & {duration: number}} options
 */
export function drawOverview(context, lanes, { video, actions }, { scale, left, width, duration }) {
  const height = SIZES.overview;
  const ground = height - 8;
  const best = new Float64Array(Math.ceil(left + width) + 1);
  const labels = new Int32Array(best.length);
  for (const { label, detections, crowded } of lanes) {
    for (const index of [...detections.map((one) => one.index), ...crowded]) {
      const { segment, score: value } = video.detections[index];
      const end = Math.min(scale.x(segment[1]), best.length - 1);
      for (let x = Math.floor(scale.x(segment[0])); x <= end; x += 1) {
        if (value > best[x]) [best[x], labels[x]] = [value, label];
      }
    }
  }
  best.forEach((value, x) => {
    if (value === 0) return;
    context.fillStyle = classColour(labels[x]);
    const tall = Math.max(value * (ground - 4), 1);
    context.fillRect(x, ground - tall, 1, tall);
  });
  context.fillStyle = themed("truth-line");
  for (const { index } of lanes.flatMap((lane) => lane.actions)) {
    const [start, end] = actions[index].segment;
    context.fillRect(scale.x(start), ground + 2, Math.max(scale.x(end) - scale.x(start), 1), 4);
  }
  context.fillStyle = themed("faint");
  context.fillText(clock(duration, 0), 14, height / 2);
}
