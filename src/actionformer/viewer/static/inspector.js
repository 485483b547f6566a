// @ts-check
// Beside the video: what is chosen, and as a table what the timeline shows.

import { KINDS, MISSED } from "./colours.js";
import { detected } from "./descriptions.js";
import { byId, element } from "./elements.js";
import { clock, plural, score, seconds, span } from "./format.js";
import { inTime, isFound } from "./lanes.js";
import { choose, showChosen, step } from "./navigation.js";
import { on, oncePerFrame, state, thing } from "./state.js";
import { delayed } from "./views.js";

const MOST_ROWS = 100;
const REST = 60; // milliseconds

/** @type {Record<string, any>} */
const parts = {};

export function startInspector() {
  /** @type {(text: string, act: () => void, name?: string) => HTMLElement} */
  const move = (text, act, name = text) => element("button", { class: "quiet", click: act, "aria-label": name }, text);
  Object.assign(parts, {
    facts: element("div", { class: "facts" }),
    moves: element(
      "div",
      { class: "row" },
      move("↑ Previous", () => step(-1), "Previous"),
      move("↓ Next", () => step(1), "Next"),
      move("Zoom to it", showChosen),
    ),
    counted: element("p", { class: "faint" }),
    rows: element("tbody", {}),
  });
  parts.list = element(
    "div",
    { class: "scrolling" },
    element("table", { id: "list", "aria-label": "What the timeline shows" }, parts.rows),
  );
  byId("inspector").append(parts.facts, parts.moves, parts.counted, parts.list);
  const shown = oncePerFrame(show);
  on(["project", "chosen", "levels", "video", "actions", "decided"], shown);
  on(["hiddenClasses", "hiddenKinds", "tab"], shown);
  on(["view", "minScore"], delayed(show, REST)); // while they move nobody reads the list
}

function show() {
  if (!state.video || state.tab === "run") return;
  const chosen = state.chosen && thing(state.chosen) ? state.chosen : null;
  parts.facts.replaceChildren(...(chosen ? facts(chosen) : nothingChosen()));
  parts.moves.hidden = !chosen;
  list(chosen);
}

function nothingChosen() {
  const all = state.video.detections.length - state.decided.length;
  const found = all || !state.project.labelling ? `${plural(all, detected())}, ` : "";
  const choose = ["Choose one on the timeline", element("span", { class: "with-keys" }, ", or press ↓"), "."];
  return [
    element("h2", {}, state.video.id),
    element("p", { class: "faint" }, `${found}${plural(state.actions.length, "annotated action")}.`),
    all + state.actions.length > 0 ? element("p", { class: "faint" }, ...choose) : "",
  ];
}

/** @param {Thing} chosen */
function facts(chosen) {
  const one = thing(chosen);
  const [start, end] = one.segment;
  const pairs = [["Time", `${span(one.segment)} · ${seconds(end - start)}`], ...judged(chosen)];
  return [
    element(
      "div",
      { class: "row" },
      element("h2", {}, state.project.classes[one.label]),
      element("span", { class: "faint" }, chosen.type === "action" ? "Annotated action" : state.project.labelling ? "Draft" : "Detection"),
    ),
    element(
      "dl",
      {},
      pairs.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]),
    ),
  ];
}

/**
 * @param {Thing} chosen
 * @returns {[string, string][]}
 */
function judged({ type, index }) {
  const at = `At tIoU ${state.tiou}`;
  if (type === "action") {
    const found = isFound(state, index);
    return found === null ? [] : [[at, found ? `${KINDS["true positive"].mark} found` : `${MISSED.mark} missed`]];
  }
  const { score: value, level, kind, iou, match } = state.video.detections[index];
  /** @type {[string, string][]} */
  const pairs = [["Score", `${score(value)}${level === null ? "" : ` · pyramid level ${level}`}`]];
  if (kind) pairs.push([at, verdict(kind)]);
  if (iou !== null) pairs.push(["Best overlap", matched(iou, match)]);
  return pairs;
}

/** @type {(kind: Kind) => string} */
const verdict = (kind) => `${KINDS[kind].mark} ${kind}: ${KINDS[kind].says}`;

/**
 * @param {number} iou
 * @param {number | null} match
 */
function matched(iou, match) {
  const action = match === null ? null : state.video.actions[match];
  return action
    ? `${iou.toFixed(2)} with ${state.project.classes[action.label]}, ${span(action.segment)}`
    : iou.toFixed(2);
}

/** @type {(which: Thing) => string} */
const keyOf = ({ type, index }) => `${type}-${index}`;

/** What lies in the span. For the keyboard all of it is one stop, at what is chosen; arrow keys choose the next.
 * @param {Thing | null} chosen
 */
function list(chosen) {
  const [from, to] = state.view;
  const inside = inTime(state).filter((one) => thing(one).segment[1] >= from && one.start <= to);
  const here = chosen ? inside.findIndex((one) => keyOf(one) === keyOf(chosen)) : -1;
  const first = Math.max(Math.min(here - MOST_ROWS / 2, inside.length - MOST_ROWS), 0);
  const listed = inside.slice(first, first + MOST_ROWS);
  const more = listed.length < inside.length ? `, ${MOST_ROWS} of them listed` : "";
  const focused = parts.list.contains(document.activeElement);
  parts.counted.hidden = inside.length === 0 && state.project.labelling;
  parts.counted.textContent = `${plural(inside.length, "thing")} in this span${more}`;
  parts.rows.replaceChildren(
    ...listed.map((one, i) => row(one, first + i === here, first + i === Math.max(here, first))),
  );
  const stop = parts.rows.querySelector("[tabindex='0']");
  if (focused) stop?.focus({ preventScroll: true });
  if (here >= 0) bring(stop.closest("tr"));
}

/** Scrolls the list, and nothing else, so that a row is seen.
 * @param {HTMLElement} row
 */
function bring(row) {
  const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
  if (top < parts.list.scrollTop) parts.list.scrollTop = top;
  else if (bottom > parts.list.scrollTop + parts.list.clientHeight)
    parts.list.scrollTop = bottom - parts.list.clientHeight;
}

/** Its mark, and what stands for its score.
 * @type {(index: number) => [string, string]}
 */
const asAction = (index) => [isFound(state, index) === false ? MISSED.mark : "", "annotated"];

/** @type {(detection: Detection) => [string, string]} */
const asDetection = ({ kind, score: value }) => [kind ? KINDS[kind].mark : "", score(value)];

/**
 * @param {Thing} which
 * @param {boolean} chosen
 * @param {boolean} stop
 */
function row({ type, index }, chosen, stop) {
  const one = thing({ type, index });
  const [mark, value] = type === "action" ? asAction(index) : asDetection(state.video.detections[index]);
  return element(
    "tr",
    { class: chosen ? "chosen" : null },
    element("td", { class: "number" }, clock(one.segment[0], 1)),
    element(
      "td",
      {},
      element(
        "button",
        {
          class: "link",
          tabindex: stop ? 0 : -1,
          "aria-current": chosen ? "true" : null,
          click: () => choose({ type, index }),
        },
        state.project.classes[one.label],
      ),
    ),
    element("td", { class: "number" }, value),
    element("td", {}, mark),
  );
}
