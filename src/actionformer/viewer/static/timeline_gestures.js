// What pointers and the wheel do on the timeline: look, click, drag, pan, pinch.

import { beginDrag } from "./corrections.js";
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
  parts.lanes.addEventListener("pointerleave", ({ pointerType }) => pointerType === "touch" || hideTooltip());
  document.addEventListener("pointerdown", hideTooltip, { capture: true });
}

const ofPointer = (pixels, { pointerType }) => (pointerType === "touch" ? pixels.touch : pixels.mouse);

/** What is under a pointer: the lane whose name it is, or the time, and what lies there. */
function locate(event) {
  const box = parts.lanes.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { scale, left } = geometry();
  const time = Math.min(Math.max(scale.time(x), 0), duration());
  const place = { time, scale, ruler: y < SIZES.ruler, named: null, hit: null, grip: null };
  if (place.ruler) return place;
  const down = y - SIZES.ruler + parts.scroll.scrollTop;
  if (x < left) return { ...place, named: laneAt(layOut(state), down) };
  place.hit = at(layOut(state), state, time, down, ofPointer(SLACK, event) / scale.perSecond);
  if (state.editing && place.hit?.type === "action")
    place.grip = gripAt(thing(place.hit).segment, time, ofPointer(GRIP, event) / scale.perSecond);
  return place;
}

function hover(event) {
  const { hit, named, grip } = locate(event);
  parts.lanes.style.cursor = grip ? (grip === "whole" ? "grab" : "ew-resize") : hit ? "pointer" : named ? "help" : "";
  showTooltip(event, hit ? describe(hit) : named ? describeLane(named) : null);
}

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

/** What fingers (or the mouse) do on the lanes between the first one down and the last one up: where each of them is,
 * what was under the first, what is dragged, what to go back to if the browser takes the gesture for its own. */
let gesture = null;

function press(event) {
  if (!state.video || event.button !== 0) return;
  parts.lanes.setPointerCapture(event.pointerId);
  if (gesture) {
    takeBack(gesture); // a second finger: what one finger dragged was not meant
    gesture.moved = true;
  } else {
    const { time, view, chosen, actions } = state;
    gesture = { fingers: new Map(), place: locate(event), moved: false, before: { time, view, chosen, actions } };
    const { hit, grip, ruler } = gesture.place;
    if (ruler) seek(gesture.place.time);
    if (grip) gesture.drag = beginDrag(hit.index, grip);
  }
  gesture.fingers.set(event.pointerId, event.clientX);
  beginPan();
}

/** From where on a single finger moves things. */
function beginPan() {
  gesture.from = { x: [...gesture.fingers.values()][0], view: state.view };
}

/** As if nothing of the annotations had been dragged. */
function takeBack(one) {
  const { chosen, actions } = one.before;
  if (one.drag) set({ chosen, actions });
  one.drag = null;
}

function move(event) {
  if (!state.video) return;
  if (!gesture?.fingers.has(event.pointerId)) {
    if (event.pointerType !== "touch") hover(event);
    return;
  }
  const { fingers, from, place, drag } = gesture;
  if (fingers.size > 1) return pinch(event);
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

/** Two fingers: the span grows and shrinks with their distance, around the time between them. */
function pinch(event) {
  const { fingers } = gesture;
  const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
  const before = Math.abs(fingers.get(event.pointerId) - other);
  fingers.set(event.pointerId, event.clientX);
  const now = Math.abs(event.clientX - other);
  const middle = (event.clientX + other) / 2 - parts.lanes.getBoundingClientRect().left;
  if (before > 10 && now > 10) zoom(before / now, geometry().scale.time(middle));
}

function lift(event) {
  if (!gesture?.fingers.delete(event.pointerId)) return;
  if (gesture.fingers.size > 0) return beginPan();
  const { place, moved, drag, before } = gesture;
  if (event.type === "pointercancel") {
    takeBack(gesture);
    set({ view: before.view });
    if (place.ruler) seek(before.time);
  } else if (drag && moved) drag.end();
  else if (!moved && !place.ruler) click(event, place);
  gesture = null;
}

function click(event, { named, hit, time }) {
  if (named) return showTooltip(event, describeLane(named));
  seek(time);
  set({ chosen: hit });
  if (hit && event.pointerType === "touch") showTooltip(event, describe(hit)); // what a mouse sees by hovering
}

/** Calls `go(event)` until the pointer is let go; if the browser takes it for its own, `takenBack()`. */
function track(target, event, go, takenBack) {
  const stop = new AbortController();
  const listen = (name, react) =>
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

function dragOverview(event) {
  if (!state.video || event.button !== 0) return;
  const { whole } = geometry();
  const { view, time } = state;
  const length = view[1] - view[0];
  const timeOf = (one) => whole.time(one.clientX - parts.overview.getBoundingClientRect().left);
  if (length >= duration() * 0.999) track(parts.overview, event, (one) => seek(timeOf(one)), () => seek(time));
  else
    track(
      parts.overview,
      event,
      (one) => set({ view: spanAround(timeOf(one), length, duration()) }),
      () => set({ view }),
    );
}
