// The timeline: a canvas of lanes under the video, which is looked at, clicked, dragged and zoomed.

import { KINDS } from "./colours.js";
import { beginDrag } from "./corrections.js";
import { drawLanes, drawOverview, drawRuler, prepare, scaleOf } from "./drawing.js";
import { byId, element, speak } from "./elements.js";
import { clock, score, span } from "./format.js";
import { SIZES, at, inTime, layOut } from "./lanes.js";
import { seek } from "./player.js";
import { duration, on, oncePerFrame, set, spanAround, state } from "./state.js";

const CLICK = 4; // pixels that a finger or a mouse may move in a click
const SLACK = 3; // pixels beside a thin thing that still hit it

const parts = {};
let lanes = [];

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
    lanes: canvas(
      "lanes",
      "Timeline: arrow keys up and down go through what was detected, plus and minus zoom, question mark lists all keys",
    ),
    playhead: element("div", { id: "playhead" }, element("span", {})),
    whole: element("div", { id: "overview-playhead" }),
    spacer: element("div", {}),
    empty: element("p", { class: "words", hidden: true }),
  });
  parts.scroll = element("div", { id: "lanes-scroll", scroll: () => redraw() }, parts.lanes, parts.spacer);
  byId("timeline").append(parts.overview, parts.scroll, parts.playhead, parts.whole, parts.empty);
  parts.lanes.addEventListener("wheel", zoomByWheel, { passive: false });
  parts.overview.addEventListener("pointerdown", dragOverview);
  parts.lanes.addEventListener("pointerdown", press);
  parts.lanes.addEventListener("pointermove", hover);
  parts.lanes.addEventListener("pointerleave", () => (byId("tooltip").hidden = true));
  new ResizeObserver(() => redraw()).observe(byId("timeline"));
  on(["video", "minScore", "hiddenClasses", "hiddenKinds", "actions", "project"], arrange);
  on(["view", "theme", "chosen", "editing", "tab"], () => redraw());
  on(["time", "view"], placePlayhead);
  on(["chosen"], () => speak(state.chosen ? describe(state.chosen) : ""));
  on(["time"], follow);
}

function arrange() {
  if (!state.video) return;
  lanes = layOut(state);
  parts.empty.hidden = lanes.length > 0;
  parts.empty.textContent = whyEmpty();
  draw();
}

function whyEmpty() {
  const { detections } = state.video;
  if (detections.length === 0) return "No detections and no annotated actions in this video.";
  const best = score(detections[0].score);
  return `None of ${detections.length} detections passes the filters; the best score is ${best}. Lower the score threshold or show more classes and kinds.`;
}

const redraw = oncePerFrame(() => state.video && draw());

function geometry() {
  const left = gutter();
  const width = Math.max(byId("timeline").clientWidth - left - 8, 50);
  return { left, width, scale: scaleOf(state.view, left, width) };
}

function draw() {
  const { left, width, scale } = geometry();
  const full = left + width + 8;
  const total = lanes.length ? lanes.at(-1).top + lanes.at(-1).height : 0;
  const height = Math.min(total + SIZES.ruler, Math.max(innerHeight * (state.tab === "timeline" ? 0.55 : 0.28), 190));
  parts.scroll.style.height = `${height}px`;
  parts.spacer.style.height = `${total + SIZES.ruler - height}px`;
  const context = prepare(parts.lanes, full, height);
  const place = { scale, left, width, height, scrolled: parts.scroll.scrollTop };
  drawRuler(context, { ...place, view: state.view, fps: state.video.fps });
  drawLanes(context, lanes, state, place);
  const whole = scaleOf([0, duration()], left, width);
  drawOverview(prepare(parts.overview, full, SIZES.overview), lanes, state, {
    scale: whole,
    left,
    width,
    duration: duration(),
  });
  placePlayhead();
}

function placePlayhead() {
  const { left, width, scale } = geometry();
  const x = scale.x(state.time);
  parts.playhead.hidden = !state.video || x < left - 1 || x > left + width + 1;
  parts.playhead.style.transform = `translateX(${x}px)`;
  parts.playhead.firstChild.textContent = clock(state.time);
  parts.whole.style.transform = `translateX(${scaleOf([0, duration()], left, width).x(state.time)}px)`;
}

/** While it plays, the span moves on with the playhead. */
function follow() {
  const [start, end] = state.view;
  if (!state.playing || (state.time >= start && state.time <= end)) return;
  const ahead = state.rate < 0 ? end - start : 0;
  set({ view: spanAround(state.time - ahead + (end - start) / 2, end - start, duration()) });
}

/** Zooms by `factor` (below 1: closer) around a time. */
export function zoom(factor, centre = state.time) {
  const [start, end] = state.view;
  const length = Math.min(Math.max((end - start) * factor, 0.2), duration());
  const share = (Math.min(Math.max(centre, start), end) - start) / (end - start);
  set({ view: spanAround(Math.min(Math.max(centre, start), end) + (0.5 - share) * length, length, duration()) });
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

/** Chooses the next (or previous) of what is shown, in time; `only` may leave some out. */
export function step(direction, only = () => true) {
  const all = inTime(state).filter((one) => only(thing(one), one.type));
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
  const lane = lanes.find((one) => one.label === label);
  const room = parts.scroll.clientHeight - SIZES.ruler;
  if (!lane) return;
  if (lane.top < parts.scroll.scrollTop) parts.scroll.scrollTop = lane.top;
  if (lane.top + lane.height > parts.scroll.scrollTop + room) parts.scroll.scrollTop = lane.top + lane.height - room;
}

export const isError = (one, type) => (type === "action" ? one.found === false : one.kind && one.kind !== "true");

/** A sentence about a detection or an action. */
function describe({ type, index }) {
  const one = thing({ type, index });
  const name = state.project.classes[one.label];
  if (type === "action") {
    return `${name}, annotated ${span(one.segment)}${one.found === false ? `, missed at tIoU ${state.tiou}` : ""}`;
  }
  const level = one.level !== null ? `, level ${one.level}` : "";
  const kind = one.kind ? `; ${KINDS[one.kind].mark} ${KINDS[one.kind].name} at tIoU ${state.tiou}` : "";
  return `${name} ${score(one.score)}, ${span(one.segment)}${level}${kind}`;
}

function locate(event) {
  const box = parts.lanes.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { scale, left } = geometry();
  const time = Math.min(Math.max(scale.time(x), 0), duration());
  const slack = SLACK / scale.perSecond;
  const hit =
    x < left || y < SIZES.ruler ? null : at(lanes, state, time, y - SIZES.ruler + parts.scroll.scrollTop, slack);
  return { x, y, time, hit, scale, slack };
}

function hover(event) {
  if (!state.video) return;
  const { hit } = locate(event);
  const tooltip = byId("tooltip");
  tooltip.hidden = !hit;
  parts.lanes.style.cursor = hit ? "pointer" : "";
  if (!hit) return;
  tooltip.textContent = describe(hit);
  const room = innerWidth - tooltip.offsetWidth - 8;
  tooltip.style.left = `${Math.max(Math.min(event.clientX + 12, room), 4)}px`;
  tooltip.style.top = `${event.clientY + 18}px`;
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

/** Calls `move(event)` until the pointer is let go, then `end(event)`. */
function track(target, event, move, end = () => {}) {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  target.setPointerCapture(event.pointerId);
  target.addEventListener("pointermove", (next) => next.pointerId === event.pointerId && move(next), options);
  for (const name of ["pointerup", "pointercancel"]) {
    target.addEventListener(
      name,
      (last) => {
        if (last.pointerId !== event.pointerId) return;
        stop.abort();
        end(last);
      },
      options,
    );
  }
}

const fingers = new Map();

function press(event) {
  if (!state.video || event.button !== 0) return;
  const { y, time, hit, slack, scale } = locate(event);
  fingers.set(event.pointerId, event.clientX);
  const lift = () => fingers.delete(event.pointerId);
  if (y < SIZES.ruler) {
    seek(time);
    track(parts.lanes, event, (next) => seek(locate(next).time), lift);
    return;
  }
  const drag = state.editing && hit?.type === "action" ? beginDrag(hit.index, time, 2 * slack) : null;
  const view = state.view;
  let moved = false;
  track(
    parts.lanes,
    event,
    (next) => {
      if (fingers.size === 2) {
        moved = true;
        pinch(next);
        return;
      }
      const shift = (next.clientX - event.clientX) / scale.perSecond;
      moved ||= Math.abs(next.clientX - event.clientX) > CLICK;
      if (!moved) return;
      if (drag) drag.move(shift);
      else set({ view: spanAround((view[0] + view[1]) / 2 - shift, view[1] - view[0], duration()) });
    },
    () => {
      lift();
      drag?.end(moved);
      if (moved) return;
      seek(time);
      set({ chosen: hit });
    },
  );
}

/** Two fingers: the span grows and shrinks with their distance. */
function pinch(event) {
  const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
  const before = Math.abs(fingers.get(event.pointerId) - other);
  fingers.set(event.pointerId, event.clientX);
  const now = Math.abs(event.clientX - other);
  if (before > 10 && now > 10) zoom(before / now, (state.view[0] + state.view[1]) / 2);
}

function dragOverview(event) {
  if (!state.video) return;
  const { left, width } = geometry();
  const whole = scaleOf([0, duration()], left, width);
  const centre = (one) => whole.time(one.clientX - parts.overview.getBoundingClientRect().left);
  const go = (one) => set({ view: spanAround(centre(one), state.view[1] - state.view[0], duration()) });
  if (state.view[1] - state.view[0] >= duration() * 0.999) {
    seek(centre(event));
    track(parts.overview, event, (next) => seek(centre(next)));
  } else {
    go(event);
    track(parts.overview, event, go);
  }
}
