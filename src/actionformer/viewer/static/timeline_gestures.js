// @ts-check
// What pointers and the wheel do on the timeline: look, click, drag, pan, pinch.

import { beginDrag, isEditable } from "./corrections.js";
import { describe, describeLane } from "./descriptions.js";
import { hideTooltip, showTooltip } from "./elements.js";
import { SIZES, at, gripAt, laneAt, layOut } from "./lanes.js";
import { pan, zoom } from "./navigation.js";
import { seek } from "./player.js";
import { duration, set, spanAround, state, thing } from "./state.js";
import { geometry, parts } from "./surface.js";

const CLICK = 4; // pixels that a finger or a mouse may move in a click
const SLACK = { mouse: 3, touch: 12 }; // pixels beside a thin thing that still hit it
const GRIP = { mouse: 6, touch: 24 }; // pixels around an edge that take hold of it

/** Listens to the timeline's elements. */
export function startGestures() {
  parts.overview.addEventListener("pointerdown", dragOverview);
  parts.lanes.addEventListener("wheel", zoomByWheel, { passive: false });
  parts.lanes.addEventListener("pointerdown", press);
  parts.lanes.addEventListener("pointermove", move);
  parts.lanes.addEventListener("pointerup", lift);
  parts.lanes.addEventListener("pointercancel", lift);
  parts.lanes.addEventListener(
    "pointerleave",
    (/** @type {PointerEvent} */ { pointerType }) => pointerType === "touch" || hideTooltip(),
  );
  document.addEventListener("pointerdown", hideTooltip, { capture: true });
}

/** @type {(pixels: {mouse: number, touch: number}, event: PointerEvent | WheelEvent) => number} */
const ofPointer = (pixels, event) =>
  "pointerType" in event && event.pointerType === "touch" ? pixels.touch : pixels.mouse;

/** What is under a pointer: the lane whose name it is, or the time, and what lies there.
 * @param {PointerEvent | WheelEvent} event
 * @returns {Place}
 */
function locate(event) {
  const box = parts.lanes.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { scale, left } = geometry();
  const time = Math.min(Math.max(scale.time(x), 0), duration());
  /** @type {Place} */
  const place = { time, scale, ruler: y < SIZES.ruler, named: null, hit: null, grip: null };
  if (place.ruler) return place;
  const down = y - SIZES.ruler + parts.scroll.scrollTop;
  if (x < left) return { ...place, named: laneAt(layOut(state), down) };
  place.hit = at(layOut(state), state, time, down, ofPointer(SLACK, event) / scale.perSecond);
  if (isEditable(place.hit) && place.hit)
    place.grip = gripAt(thing(place.hit).segment, time, ofPointer(GRIP, event) / scale.perSecond);
  return place;
}

/** @param {PointerEvent} event */
function hover(event) {
  const { hit, named, grip } = locate(event);
  parts.lanes.style.cursor = grip ? (grip === "whole" ? "grab" : "ew-resize") : hit ? "pointer" : named ? "help" : "";
  showTooltip(event, hit ? describe(hit) : named ? describeLane(named) : null);
}

/** @param {WheelEvent} event */
function zoomByWheel(event) {
  if (!state.video) return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    zoom(Math.exp(event.deltaY * 0.004), locate(event).time);
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    pan((event.deltaX || event.deltaY) / 900);
  }
}

/** What is being done, from the first finger down to the last one up.
 * @type {Gesture | null}
 */
let gesture = null;

/** @param {PointerEvent} event */
function press(event) {
  if (!state.video || event.button !== 0) return;
  parts.lanes.setPointerCapture(event.pointerId);
  if (gesture) {
    takeBack(gesture); // a second finger: what one finger dragged was not meant
    gesture.moved = true;
  } else {
    const { time, view, chosen, actions, decided } = state;
    const place = locate(event);
    const from = { x: event.clientX, view };
    gesture = { fingers: new Map(), place, moved: false, before: { time, view, chosen, actions, decided }, from, drag: null };
    if (place.ruler) seek(place.time);
    if (place.hit && place.grip) gesture.drag = beginDrag(place.hit, place.grip);
  }
  gesture.fingers.set(event.pointerId, event.clientX);
  beginPan(gesture);
}

/** From where on a single finger moves things.
 * @param {Gesture} one
 */
function beginPan(one) {
  one.from = { x: [...one.fingers.values()][0], view: state.view };
}

/** As if nothing of the annotations had been dragged.
 * @param {Gesture} one
 */
function takeBack(one) {
  const { chosen, actions, decided } = one.before;
  if (one.drag) set({ chosen, actions, decided });
  one.drag = null;
}

/** @param {PointerEvent} event */
function move(event) {
  if (!state.video) return;
  if (!gesture?.fingers.has(event.pointerId)) {
    if (event.pointerType !== "touch") hover(event);
    return;
  }
  const { fingers, from, place, drag } = gesture;
  if (fingers.size > 1) return pinch(event, gesture);
  const pixels = event.clientX - from.x;
  gesture.moved ||= Math.abs(pixels) > CLICK;
  fingers.set(event.pointerId, event.clientX);
  if (place.ruler) return seek(locate(event).time);
  if (!gesture.moved) return;
  const shift = pixels / place.scale.perSecond;
  const [start, end] = from.view;
  if (drag) drag.move(shift);
  else set({ view: spanAround((start + end) / 2 - pixels / geometry().scale.perSecond, end - start, duration()) });
}

/** Two fingers: the span grows and shrinks with their distance, around the time between them.
 * @param {PointerEvent} event
 * @param {Gesture} one
 */
function pinch(event, { fingers }) {
  const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
  const before = Math.abs((fingers.get(event.pointerId) ?? other) - other);
  fingers.set(event.pointerId, event.clientX);
  const now = Math.abs(event.clientX - other);
  const middle = (event.clientX + other) / 2 - parts.lanes.getBoundingClientRect().left;
  if (before > 10 && now > 10) zoom(before / now, geometry().scale.time(middle));
}

/** @param {PointerEvent} event */
function lift(event) {
  if (!gesture?.fingers.delete(event.pointerId)) return;
  if (gesture.fingers.size > 0) return beginPan(gesture);
  const { place, moved, drag, before } = gesture;
  if (event.type === "pointercancel") {
    takeBack(gesture);
    set({ view: before.view });
    if (place.ruler) seek(before.time);
  } else if (drag && moved) drag.end();
  else if (!moved && !place.ruler) click(event, place);
  gesture = null;
}

/**
 * @param {PointerEvent} event
 * @param {Place} place
 */
function click(event, { named, hit, time }) {
  if (named) return showTooltip(event, describeLane(named));
  seek(time);
  set({ chosen: hit });
  if (hit && event.pointerType === "touch") showTooltip(event, describe(hit)); // what a mouse sees by hovering
}

/** Calls `go(event)` until the pointer is let go; if the browser takes it for its own, `takenBack()`.
 * @param {HTMLElement} target
 * @param {PointerEvent} event
 * @param {(event: PointerEvent) => void} go
 * @param {() => void} takenBack
 */
function track(target, event, go, takenBack) {
  const stop = new AbortController();
  const listen = (
    /** @type {"pointermove" | "pointerup" | "pointercancel"} */ name,
    /** @type {(event: PointerEvent) => void} */ react,
  ) =>
    target.addEventListener(name, (next) => next.pointerId === event.pointerId && react(next), { signal: stop.signal });
  target.setPointerCapture(event.pointerId);
  go(event);
  listen("pointermove", go);
  listen("pointerup", () => stop.abort());
  listen("pointercancel", () => {
    stop.abort();
    takenBack();
  });
}

/** @param {PointerEvent} event */
function dragOverview(event) {
  if (!state.video || event.button !== 0) return;
  const { whole } = geometry();
  const { view, time } = state;
  const length = view[1] - view[0];
  const timeOf = (/** @type {PointerEvent} */ one) =>
    whole.time(one.clientX - parts.overview.getBoundingClientRect().left);
  if (length >= duration() * 0.999)
    track(
      parts.overview,
      event,
      (one) => seek(timeOf(one)),
      () => seek(time),
    );
  else
    track(
      parts.overview,
      event,
      (one) => set({ view: spanAround(timeOf(one), length, duration()) }),
      () => set({ view }),
    );
}
