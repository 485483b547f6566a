// @ts-check
// What pointers and keys do on the picture of candidates.

import { candidateAt, visible } from "./candidates.js";
import { hideTooltip, showTooltip } from "./elements.js";
import { picks } from "./suppression_state.js";
import { describeCandidate } from "./suppression_words.js";

const NEAR = { mouse: 6, touch: 16 }; // pixels beside a candidate that still hit it

/** Listeners of the canvas; `choose(index)` is called with that of a candidate, or null for none.
 * @type {(choose: (index: number | null) => void) => Record<string, (event: any) => void>}
 */
export const gestures = (choose) => ({
  click: (event) => choose(pointedAt(event)),
  keydown: (event) => press(event, choose),
  pointermove: hover,
  pointerleave: hideTooltip,
});

/** @param {OnCanvas<PointerEvent>} event */
function pointedAt(event) {
  if (!picks.trace) return null;
  const canvas = event.currentTarget;
  const box = canvas.getBoundingClientRect();
  const near = event.pointerType === "touch" ? NEAR.touch : NEAR.mouse;
  return candidateAt(canvas, picks, event.clientX - box.left, event.clientY - box.top, near);
}

/** @param {OnCanvas<PointerEvent>} event */
function hover(event) {
  const index = event.pointerType === "touch" ? null : pointedAt(event);
  event.currentTarget.style.cursor = index === null ? "" : "pointer";
  showTooltip(event, index === null ? null : describeCandidate(index));
}

const BY_KEY = new Map([
  ["ArrowDown", 1],
  ["ArrowRight", 1],
  ["ArrowUp", -1],
  ["ArrowLeft", -1],
]);

/** From the best candidate that is drawn to the worst, and back.
 * @param {KeyboardEvent} event
 * @param {(index: number | null) => void} choose
 */
function press(event, choose) {
  const by = BY_KEY.get(event.key);
  if (!picks.trace || (!by && event.key !== "Escape")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!by) return choose(null);
  const order = visible(picks).reverse();
  const here = picks.chosen === null ? (by > 0 ? -1 : order.length) : order.indexOf(picks.chosen);
  if (order.length) choose(order[Math.min(Math.max(here + by, 0), order.length - 1)]);
}
