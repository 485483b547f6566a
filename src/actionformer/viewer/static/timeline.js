// The timeline: a canvas of lanes under the video, which is looked at, clicked, dragged and zoomed.

import { KINDS, MISSED } from "./colours.js";
import { beginDrag } from "./corrections.js";
import { drawLanes, drawOverview, drawRuler, prepare, scaleOf } from "./drawing.js";
import { byId, element, hideTooltip, showTooltip, speak } from "./elements.js";
import { clock, plural, score, span } from "./format.js";
import { SIZES, at, gripAt, inTime, isFound, laneAt, layOut } from "./lanes.js";
import { seek } from "./player.js";
import { duration, on, oncePerFrame, set, spanAround, state } from "./state.js";

const BESIDE = 130; // pixels of height beside another view
const CLICK = 4; // pixels that a finger or a mouse may move in a click
const SLACK = { mouse: 3, touch: 12 }; // pixels beside a thin thing that still hit it
const GRIP = { mouse: 6, touch: 24 }; // pixels around an edge that take hold of it
const RIGHT = 8; // pixels right of the timeline

const parts = {};

/** Pixels left of the timeline that hold the names of classes; other views on the same time axis use it too. */
export const gutter = () => (innerWidth < 640 ? 84 : 150);

export function startTimeline() {
  const canvas = (name, label) =>
    element("canvas", {
      id: name,
      tabindex: label ? 0 : null,
      role: label ? "application" : null,
      "aria-label": label,
    });
  Object.assign(parts, {
    overview: canvas("overview"),
    shown: element("div", { id: "overview-shown" }),
    lanes: canvas(
      "lanes",
      "Timeline: arrow keys up and down go through what was detected, plus and minus zoom, question mark lists all keys",
    ),
    playhead: element("div", { id: "playhead" }, element("span", {})),
    whole: element("div", { id: "overview-playhead" }),
    spacer: element("div", {}),
    empty: element("p", { class: "words", hidden: true }),
  });
  parts.around = element("div", { id: "overview-around" }, parts.shown);
  parts.scroll = element("div", { id: "lanes-scroll", scroll: () => redraw() }, parts.lanes, parts.spacer);
  byId("timeline").append(parts.overview, parts.around, parts.scroll, parts.playhead, parts.whole, parts.empty);
  parts.overview.addEventListener("pointerdown", dragOverview);
  parts.lanes.addEventListener("wheel", zoomByWheel, { passive: false });
  parts.lanes.addEventListener("pointerdown", press);
  parts.lanes.addEventListener("pointermove", move);
  parts.lanes.addEventListener("pointerup", lift);
  parts.lanes.addEventListener("pointercancel", lift);
  parts.lanes.addEventListener("pointerleave", ({ pointerType }) => pointerType === "touch" || hideTooltip());
  document.addEventListener("pointerdown", hideTooltip, { capture: true });
  new ResizeObserver(() => redrawAll()).observe(byId("timeline"));
  on(["video", "minScore", "hiddenClasses", "hiddenKinds", "actions", "project", "theme"], () => redrawAll());
  on(["view", "chosen", "editing", "tab"], () => redraw());
  on(["time", "view"], placePlayhead);
  on(["chosen"], () => speak(state.chosen ? describe(state.chosen) : ""));
  on(["time"], follow);
}

function whyEmpty() {
  const { detections } = state.video;
  if (detections.length === 0) return "No detections and no annotated actions in this video.";
  const best = score(detections[0].score);
  return `None of ${detections.length} detections passes the filters; the best score is ${best}. Lower the score threshold or show more classes and kinds.`;
}

let overviewIsOld = true;

const redraw = oncePerFrame(() => state.video && draw());

function redrawAll() {
  overviewIsOld = true;
  redraw();
}

function geometry() {
  const left = gutter();
  const width = Math.max(byId("timeline").clientWidth - left - RIGHT, 50);
  return { left, width, scale: scaleOf(state.view, left, width), whole: scaleOf([0, duration()], left, width) };
}

const heightOf = (lanes) => (lanes.length ? lanes.at(-1).top + lanes.at(-1).height : 0) + SIZES.ruler;

function draw() {
  const { left, width, scale, whole } = geometry();
  const lanes = layOut(state);
  const full = left + width + RIGHT;
  const total = heightOf(lanes);
  const height = Math.min(total, state.tab === "timeline" ? Math.max(innerHeight * 0.55, 190) : BESIDE);
  parts.scroll.style.height = `${height}px`;
  parts.spacer.style.height = `${total - height}px`;
  parts.empty.hidden = lanes.length > 0;
  parts.empty.textContent = lanes.length ? "" : whyEmpty();
  const context = prepare(parts.lanes, full, height);
  drawRuler(context, { scale, left, width, height, view: state.view, fps: state.video.fps, start: state.video.start });
  drawLanes(context, lanes, state, { scale, left, width, height, scrolled: parts.scroll.scrollTop });
  if (overviewIsOld) {
    const strip = prepare(parts.overview, full, SIZES.overview);
    drawOverview(strip, lanes, state, { scale: whole, left, width, duration: duration() });
    overviewIsOld = false;
  }
  const [from, to] = state.view.map((time) => whole.x(time) - left);
  parts.around.style.left = `${left}px`;
  parts.shown.style.transform = `translateX(${from}px)`;
  parts.shown.style.width = `${Math.max(to - from, 3)}px`;
  placePlayhead();
}

function placePlayhead() {
  const { left, width, scale, whole } = geometry();
  const x = scale.x(state.time);
  parts.playhead.hidden = !state.video || x < left - 1 || x > left + width + 1;
  parts.playhead.style.transform = `translateX(${x}px)`;
  parts.playhead.firstChild.textContent = clock(state.time);
  parts.whole.style.transform = `translateX(${whole.x(state.time)}px)`;
}

/** While it plays, the span moves on with the playhead. */
function follow() {
  const [start, end] = state.view;
  if (!state.playing || (state.time >= start && state.time <= end)) return;
  const ahead = state.rate < 0 ? end - start : 0;
  set({ view: spanAround(state.time - ahead + (end - start) / 2, end - start, duration()) });
}

/** Zooms by `factor` (below 1: closer) around a time, which stays where it is. */
export function zoom(factor, centre = state.time) {
  const [start, end] = state.view;
  const length = Math.min(Math.max((end - start) * factor, 0.2), duration());
  const fixed = Math.min(Math.max(centre, start), end);
  const share = (fixed - start) / (end - start);
  set({ view: spanAround(fixed + (0.5 - share) * length, length, duration()) });
}

/** Moves the span by a share of its length. */
export function pan(share) {
  const length = state.view[1] - state.view[0];
  set({ view: spanAround((state.view[0] + state.view[1]) / 2 + share * length, length, duration()) });
}

export const showAll = () => set({ view: [0, duration()] });

/** What a {type, index} stands for. */
export const thing = ({ type, index }) => (type === "detection" ? state.video.detections : state.actions)[index];

/** Zooms so that what is chosen fills a third of the timeline. */
export function showChosen() {
  if (!state.chosen) return;
  const [start, end] = thing(state.chosen).segment;
  set({ view: spanAround((start + end) / 2, Math.max(3 * (end - start), 1), duration()) });
}

/** Chooses the next (or previous) of what is shown, in time; `only(state, {type, index})` may leave some out. */
export function step(direction, only = () => true) {
  const all = inTime(state).filter((one) => only(state, one));
  if (all.length === 0) return speak("Nothing of this kind is shown.");
  const { chosen } = state;
  const here = all.findIndex((one) => chosen && one.type === chosen.type && one.index === chosen.index);
  let next = here + direction;
  if (here < 0) {
    const after = all.findIndex((one) => one.start >= (chosen ? thing(chosen).segment[0] : state.time));
    next = direction > 0 ? after : (after < 0 ? all.length : after) - 1;
    if (next < 0) next = direction > 0 ? all.length - 1 : 0;
  }
  choose(all[Math.min(Math.max(next, 0), all.length - 1)]);
}

/** Chooses something and goes to its start. */
export function choose({ type, index }) {
  const [start, end] = thing({ type, index }).segment;
  seek(start);
  if (end < state.view[0] || start > state.view[1]) {
    set({ view: spanAround((start + end) / 2, state.view[1] - state.view[0], duration()) });
  }
  set({ chosen: { type, index } });
  bringLane(thing({ type, index }).label);
}

/** Scrolls the lanes so that one is seen. */
function bringLane(label) {
  const lane = layOut(state).find((one) => one.label === label);
  const room = parts.scroll.clientHeight - SIZES.ruler;
  if (!lane) return;
  if (lane.top < parts.scroll.scrollTop) parts.scroll.scrollTop = lane.top;
  if (lane.top + lane.height > parts.scroll.scrollTop + room) parts.scroll.scrollTop = lane.top + lane.height - room;
}

/** A sentence about a detection or an action. */
function describe({ type, index }) {
  const one = thing({ type, index });
  const name = state.project.classes[one.label];
  if (type === "action") {
    const missed = isFound(state, index) === false ? `; ${MISSED.mark} ${MISSED.name} at tIoU ${state.tiou}` : "";
    return `${name}, annotated ${span(one.segment)}${missed}`;
  }
  const level = one.level !== null ? `, level ${one.level}` : "";
  const kind = one.kind ? `; ${KINDS[one.kind].mark} ${KINDS[one.kind].name} at tIoU ${state.tiou}` : "";
  return `${name} ${score(one.score)}, ${span(one.segment)}${level}${kind}`;
}

/** The whole name of a class, which its lane may have no room for, and what the lane shows. */
function describeLane({ label, detections, crowded, actions }) {
  const more = crowded.length ? `, ${crowded.length} of them only in the strip beneath, for want of room` : "";
  const shown = plural(detections.length + crowded.length, "detection");
  return `${state.project.classes[label]}: ${shown}${more}; ${plural(actions.length, "annotated action")}`;
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
