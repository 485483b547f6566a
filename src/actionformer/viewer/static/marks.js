// @ts-check
// What lies on the timeline, box by box: detections, drafts, actions, and what has begun.

import { KINDS, MISSED, textOn, themed } from "./colours.js";
import { score } from "./format.js";

/** Its opacity is its score; the line around it is whole if it finds an action and dashed if it is an error.
 * @param {CanvasRenderingContext2D} context
 * @param {Detection} detection
 * @param {Box} box
 * @param {string} colour
 * @param {boolean} chosen
 */
export function drawDetection(context, detection, { x, y, width, height }, colour, chosen) {
  const opacity = 0.12 + 0.88 * Math.min(detection.score, 1);
  context.globalAlpha = opacity;
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  if (width >= 5) {
    const wrong = detection.kind && detection.kind !== "true positive";
    context.setLineDash(wrong ? [3, 3] : []);
    context.strokeStyle = wrong ? themed("text") : colour;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    context.setLineDash([]);
  }
  const mark = detection.kind ? KINDS[detection.kind].mark : "";
  if (width >= 15 && (mark || width >= 42)) {
    const text = width >= 56 || !mark ? `${mark} ${score(detection.score)}`.trim() : mark;
    drawTag(context, text, { x, y, width, height }, textOn(colour, opacity));
  }
  if (chosen) drawRing(context, x, y, width, height);
}

/** A draft asks: it is hollow and dashed, with a question mark, where a label is full.
 * @param {CanvasRenderingContext2D} context
 * @param {Detection} draft
 * @param {Box} box
 * @param {string} colour
 * @param {boolean} chosen
 */
export function drawDraft(context, draft, { x, y, width, height }, colour, chosen) {
  context.fillStyle = themed("surface");
  context.fillRect(x, y, width, height);
  context.globalAlpha = 0.18;
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  context.setLineDash([4, 3]);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 1), height - 1.5);
  context.setLineDash([]);
  context.lineWidth = 1;
  const text = width >= 56 ? `? ${score(draft.score)}` : "?";
  if (width >= 12) drawTag(context, text, { x, y, width, height }, themed("text"));
  if (chosen) drawRing(context, x, y, width, height);
}

/** What has begun and not ended, as far as the playhead.
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {string} colour
 */
export function drawRunning(context, { x, y, width, height }, colour) {
  context.globalAlpha = 0.55;
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  context.fillStyle = themed("missed");
  context.fillRect(x, y, 3, height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {Box} box
 * @param {string} colour
 */
function drawTag(context, text, { x, y, width, height }, colour) {
  context.font = "600 10.5px system-ui, sans-serif";
  context.fillStyle = colour;
  context.fillText(text, x + 4, y + height / 2 + 0.5, Math.max(width - 6, 1));
  context.font = "12px system-ui, sans-serif";
}

/** Ground truth: full where it is found or nothing is known, hollow with a mark where it is missed.
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {string} colour
 * @param {{missed: boolean, chosen: boolean, editing: boolean}} options
 */
export function drawAction(context, { x, y, width, height }, colour, { missed, chosen, editing }) {
  context.fillStyle = themed(missed ? "surface" : "truth");
  context.fillRect(x, y, width, height);
  context.fillStyle = colour;
  context.fillRect(x, y + height - 3, width, 3);
  context.strokeStyle = themed(missed ? "missed" : "truth-line");
  context.lineWidth = missed ? 2 : 1;
  if (width >= 5) context.strokeRect(x + 1, y + 0.5, width - 2, height - 1);
  context.lineWidth = 1;
  if (missed && width >= 12) {
    context.fillStyle = themed("missed");
    context.font = "700 10.5px system-ui, sans-serif";
    context.fillText(width >= 60 ? `${MISSED.mark} missed` : MISSED.mark, x + 4, y + height / 2 - 0.5);
    context.font = "12px system-ui, sans-serif";
  }
  if (editing && width >= 14) {
    context.fillStyle = themed("text");
    context.fillRect(x + 3, y + 2, 2, height - 6);
    context.fillRect(x + width - 5, y + 2, 2, height - 6);
  }
  if (chosen) drawRing(context, x, y, width, height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
export function drawRing(context, x, y, width, height) {
  context.strokeStyle = themed("focus");
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, width + 2, height + 2);
  context.lineWidth = 1;
}
