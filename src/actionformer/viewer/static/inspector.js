// Beside the video: what is chosen, and as a table what the timeline shows.

import { KINDS, MISSED } from "./colours.js";
import { byId, element } from "./elements.js";
import { clock, plural, score, seconds, span } from "./format.js";
import { inTime } from "./lanes.js";
import { on, oncePerFrame, state } from "./state.js";
import { choose, showChosen, step, thing } from "./timeline.js";

const MOST_ROWS = 100;

export function startInspector() {
  const update = oncePerFrame(show);
  on(["chosen", "levels", "video", "actions", "view", "minScore", "hiddenClasses", "hiddenKinds", "tab"], update);
}

function show() {
  if (!state.video || state.tab === "run") return;
  const rows = byId("inspector").querySelector("tbody");
  const focused = document.activeElement?.closest?.("#inspector") !== null;
  const had = focused ? document.activeElement.dataset.key : null;
  byId("inspector").replaceChildren(
    element("div", { class: "card" }, ...(state.chosen ? facts(state.chosen) : nothingChosen())),
    ...list(),
  );
  if (rows && had) byId("inspector").querySelector(`[data-key="${had}"]`)?.focus();
}

function nothingChosen() {
  const all = state.video.detections.length;
  return [
    element("h2", {}, state.video.id),
    element(
      "p",
      { class: "faint" },
      `${plural(all, "detection")}, ${plural(state.actions.length, "annotated action")}.`,
    ),
    element("p", { class: "faint" }, "Click on the timeline, or press ↓, to choose one."),
  ];
}

function facts(chosen) {
  const one = thing(chosen);
  if (!one) return nothingChosen();
  const name = state.project.classes[one.label];
  const [start, end] = one.segment;
  const pairs = [
    ["Time", span(one.segment)],
    ["Length", seconds(end - start)],
  ];
  if (chosen.type === "detection") {
    pairs.push(["Score", score(one.score)]);
    if (one.level !== null) pairs.push(["Pyramid level", String(one.level)]);
    if (one.kind) pairs.push([`At tIoU ${state.tiou}`, verdict(one)]);
    if (one.iou !== null && one.iou !== undefined) pairs.push(["Best overlap", matched(one)]);
  } else if (one.found !== undefined && one.found !== null) {
    pairs.push([`At tIoU ${state.tiou}`, one.found ? `${KINDS.true.mark} found` : `${MISSED.mark} missed`]);
  }
  return [
    element("h2", {}, name),
    element("p", { class: "faint" }, chosen.type === "detection" ? "Detection" : "Annotated action"),
    element(
      "dl",
      {},
      pairs.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]),
    ),
    element(
      "div",
      { class: "row" },
      element("button", { class: "quiet", click: () => step(-1), "aria-label": "Previous" }, "↑ Previous"),
      element("button", { class: "quiet", click: () => step(1), "aria-label": "Next" }, "↓ Next"),
      element("button", { class: "quiet", click: showChosen }, "Zoom to it"),
    ),
  ];
}

const verdict = ({ kind }) => `${KINDS[kind].mark} ${KINDS[kind].name}: ${KINDS[kind].says}`;

function matched({ iou, match }) {
  const action = match === null || match === undefined ? null : state.video.actions[match];
  return action
    ? `${iou.toFixed(2)} with ${state.project.classes[action.label]}, ${span(action.segment)}`
    : iou.toFixed(2);
}

function list() {
  const [from, to] = state.view;
  const inside = inTime(state).filter((one) => thing(one).segment[1] >= from && one.start <= to);
  const rows = inside.slice(0, MOST_ROWS).map(row);
  const more = inside.length > MOST_ROWS ? `; the first ${MOST_ROWS} are listed, zoom in for the others` : "";
  return [
    element("p", { class: "faint" }, `${plural(inside.length, "thing")} in this span${more}`),
    element("div", { class: "scrolling" }, element("table", { id: "list" }, element("tbody", {}, rows))),
  ];
}

function row({ type, index }) {
  const one = thing({ type, index });
  const mark = type === "action" ? (one.found === false ? MISSED.mark : "") : (KINDS[one.kind]?.mark ?? "");
  const chosen = state.chosen?.type === type && state.chosen.index === index;
  return element(
    "tr",
    { "aria-selected": String(chosen), class: chosen ? "chosen" : null },
    element("td", { class: "number" }, clock(one.segment[0], 1)),
    element(
      "td",
      {},
      element(
        "button",
        { class: "link", "data-key": `${type}-${index}`, click: () => choose({ type, index }) },
        state.project.classes[one.label],
      ),
    ),
    element("td", { class: "number" }, type === "action" ? "annotated" : score(one.score)),
    element("td", {}, mark),
  );
}
