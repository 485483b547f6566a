// @ts-check
// The timeline's elements, and which time lies at which pixel of them.

import { scaleOf } from "./canvas.js";
import { byId } from "./elements.js";
import { SIZES, layOut } from "./lanes.js";
import { duration, state } from "./state.js";

export const RIGHT = 8; // pixels right of the timeline

/** Filled when the timeline is started.
 * @type {Record<string, any>}
 */
export const parts = {};

/** Pixels left of the timeline that hold the names of classes; other views on the same time axis use it too. */
export const gutter = () => (innerWidth < 640 ? 84 : 150);

/** Where the timeline begins, how wide it is, and the scales of the span and of the whole video. */
export function geometry() {
  const left = gutter();
  const width = Math.max(byId("timeline").clientWidth - left - RIGHT, 50);
  return { left, width, scale: scaleOf(state.view, left, width), whole: scaleOf([0, duration()], left, width) };
}

/** Scrolls the lanes so that one is seen.
 * @param {number} label
 */
export function bringLane(label) {
  const lane = layOut(state).find((one) => one.label === label);
  const room = parts.scroll.clientHeight - SIZES.ruler;
  if (!lane) return;
  if (lane.top < parts.scroll.scrollTop) parts.scroll.scrollTop = lane.top;
  if (lane.top + lane.height > parts.scroll.scrollTop + room) parts.scroll.scrollTop = lane.top + lane.height - room;
}
