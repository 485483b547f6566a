// @ts-check
// The timeline: a canvas of lanes under the video, which is looked at, clicked, dragged and zoomed.

import { prepare } from "./canvas.js";
import { describe } from "./descriptions.js";
import { drawLanes, drawOverview, drawRuler } from "./drawing.js";
import { byId, element, speak } from "./elements.js";
import { clock, score } from "./format.js";
import { SIZES, layOut, shownDetections } from "./lanes.js";
import { follow } from "./navigation.js";
import { duration, on, oncePerFrame, state } from "./state.js";
import { RIGHT, geometry, parts } from "./surface.js";
import { startGestures } from "./timeline_gestures.js";

const NOTHING_LABELLED =
  "Nothing is labelled here yet. Play the video and press a class, or the key of its number, where an action begins and again where it ends. If nothing happens in this video, say that it is done.";
const NO_CLASSES = "There are no classes yet. “Classes…” (G) adds them.";
const BESIDE = 130; // pixels of height beside another view

export function startTimeline() {
  const canvas = (/** @type {string} */ name, /** @type {string | undefined} */ label = undefined) =>
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
  startGestures();
  new ResizeObserver(() => redrawAll()).observe(byId("timeline"));
  on(["video", "minScore", "hiddenClasses", "hiddenKinds", "actions", "decided", "project", "theme"], () => redrawAll());
  on(["view", "chosen", "editing", "tab", "running"], () => redraw());
  on(["time"], () => state.running.length > 0 && redraw());
  on(["time", "view"], placePlayhead);
  on(["chosen"], () => speak(state.chosen ? describe(state.chosen) : ""));
  on(["time"], follow);
}

function whyEmpty() {
  const { detections } = state.video;
  if (state.project.labelling && !shownDetections(state).length) {
    if (!state.editing) return "";
    return state.project.classes.length ? NOTHING_LABELLED : NO_CLASSES;
  }
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

/** @param {Lane[]} lanes */
function heightOf(lanes) {
  const last = lanes.at(-1);
  return (last ? last.top + last.height : 0) + SIZES.ruler;
}

function draw() {
  const { left, width, scale, whole } = geometry();
  const lanes = layOut(state);
  const full = left + width + RIGHT;
  const total = heightOf(lanes);
  const height = Math.min(total, state.tab === "timeline" ? Math.max(innerHeight * 0.55, 190) : BESIDE);
  parts.scroll.style.height = `${height}px`;
  parts.spacer.style.height = `${total - height}px`;
  parts.empty.textContent = lanes.length ? "" : whyEmpty();
  parts.empty.hidden = !parts.empty.textContent;
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
