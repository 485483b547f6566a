// @ts-check
// Everything by keyboard, and the list of it.

import { byId, element } from "./elements.js";
import { moveThreshold } from "./filters.js";
import { add, duplicate, nudge, redo, remove, toggleEditing, undo } from "./corrections.js";
import { stepPicks } from "./suppression.js";
import { seek, shuttle, stepFrames, togglePlay } from "./player.js";
import { duration, state } from "./state.js";
import { TABS, goTo } from "./tabs.js";
import { toggleTheme } from "./theme.js";
import { isError } from "./lanes.js";
import { pan, showAll, showChosen, step, zoom } from "./navigation.js";
import { openList } from "./videos.js";

/** @type {(amount: number) => () => void} */
const by = (amount) => () => seek(state.time + amount);

/** @type {(keys: string[], says: string, act: () => void) => [string[], string, () => void]} */
const binding = (keys, says, act) => [keys, says, act];

/** [keys, what they do, function]; "Shift+" only where a key means something else with it.
 * @type {Record<string, [string[], string, () => void][]>}
 */
const KEYS = {
  Playing: [
    [[" "], "Play or pause", togglePlay],
    [["j"], "Play backwards; again: faster", () => shuttle(-1)],
    [["k"], "Stop", () => shuttle(0)],
    [["l"], "Play; again: faster", () => shuttle(1)],
    [["ArrowLeft", ","], "One frame back", () => stepFrames(-1)],
    [["ArrowRight", "."], "One frame on", () => stepFrames(1)],
    [["Shift+ArrowLeft"], "One second back", by(-1)],
    [["Shift+ArrowRight"], "One second on", by(1)],
    [["Home"], "To the beginning", () => seek(0)],
    [["End"], "To the end", () => seek(duration())],
  ],
  Timeline: [
    [["ArrowDown"], "Next detection or action", () => step(1)],
    [["ArrowUp"], "Previous detection or action", () => step(-1)],
    [["x", "]"], "Next error", () => step(1, isError)],
    [["Shift+X", "["], "Previous error", () => step(-1, isError)],
    [["+", "="], "Zoom in", () => zoom(0.5)],
    [["-"], "Zoom out", () => zoom(2)],
    [["0"], "The whole video", showAll],
    [["z"], "Zoom to what is chosen", showChosen],
    [["PageDown"], "Half a span on", () => pan(0.5)],
    [["PageUp"], "Half a span back", () => pan(-0.5)],
    [["s"], "Raise the score threshold", () => moveThreshold(0.05)],
    [["Shift+S"], "Lower the score threshold", () => moveThreshold(-0.05)],
  ],
  Candidates: [
    [["p"], "Next pick", () => stepPicks(1)],
    [["Shift+P"], "Previous pick", () => stepPicks(-1)],
  ],
  Corrections: [
    [["e"], "Begin or end correcting", toggleEditing],
    [["n"], "New action at the playhead", add],
    [["c"], "The chosen detection becomes an action", duplicate],
    [["Delete", "Backspace"], "Delete the chosen action", remove],
    [["i"], "The chosen action starts at the playhead", () => nudge("start")],
    [["o"], "The chosen action ends at the playhead", () => nudge("end")],
    [["Control+z", "Meta+z"], "Undo", undo],
    [["Control+Shift+Z", "Meta+Shift+Z", "Control+y"], "Redo", redo],
  ],
  Page: [
    ...TABS.map(({ id, name }, i) => binding([String(i + 1)], name, () => goTo(id))),
    [
      ["/"],
      "Search a video",
      () => {
        openList(true);
        byId("search").select();
      },
    ],
    [["d"], "Dark or light", toggleTheme],
    [["?"], "These keys", toggleHelp],
  ],
};

/** @type {Record<string, string>} */
const SHOWN = {
  " ": "Space",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  PageUp: "Page up",
  PageDown: "Page down",
};
/** @type {Map<string, () => void>} */
const bound = new Map(
  Object.values(KEYS)
    .flat()
    .flatMap(([keys, , act]) => keys.map((key) => [key, act])),
);

export function startKeys() {
  document.addEventListener("keydown", press);
  document.addEventListener("pointerdown", () => (tabbed = false));
  document.addEventListener("keyup", (event) => event.key === " " && played && event.preventDefault());
  byId("help").addEventListener("click", toggleHelp);
  byId("keys").append(
    element(
      "div",
      { class: "row" },
      element("h2", { id: "keys-title" }, "Keys"),
      element("button", { class: "quiet", click: toggleHelp }, "Close"),
    ),
    element(
      "div",
      { class: "columns" },
      Object.entries(KEYS).map(([group, keys]) =>
        element(
          "section",
          {},
          element("h3", {}, group),
          element(
            "dl",
            {},
            keys.flatMap(([names, says]) => [
              element(
                "dt",
                {},
                names
                  .slice(0, 2)
                  .filter((name) => !name.startsWith("Meta"))
                  .map((name) => element("kbd", {}, keyName(name))),
              ),
              element("dd", {}, says),
            ]),
          ),
        ),
      ),
    ),
  );
}

/** @type {(part: string) => string} */
const partName = (part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part);
/** @type {(key: string) => string} */
const keyName = (key) => (key === "+" ? key : key.split("+").map(partName).join(" "));

function toggleHelp() {
  const help = byId("keys");
  if (help.open) help.close();
  else help.showModal();
}

let tabbed = true; // whether what has the focus was reached by keyboard, and not by a click
let played = false; // whether the space bar that is down plays: some browsers press a button when it is let go

/** @param {KeyboardEvent} event */
function press(event) {
  const { key } = event;
  const target = /** @type {HTMLElement} */ (event.target);
  tabbed ||= key === "Tab";
  played = false;
  if (byId("keys").open && key !== "?") return; // Escape closes it: the browser's part
  if (key === "Escape") return leave(target);
  if (takesText(target)) return;
  const name = nameOf(event);
  const act = bound.get(name);
  if (!act || isItsOwn(target, key)) return;
  event.preventDefault();
  played = key === " ";
  act();
}

/** Whether a key means something to what has the focus. The space bar does so only to those who got there by keyboard:
 * after a click it plays.
 * @param {Element} target
 * @param {string} key
 */
function isItsOwn(target, key) {
  if (key === " ") return tabbed && target.closest("button, summary, select, input:not([type=range]), a");
  const moves = key.startsWith("Arrow") || key.startsWith("Page") || ["Home", "End"].includes(key);
  return target.matches("select, input[type=range]") && (moves || (target.matches("select") && key.length === 1));
}

/** "Shift+" is told with letters, whatever caps lock makes of them, and where it does not make another character.
 * AltGr, which some systems report as Control and Alt, only makes characters.
 * @param {KeyboardEvent} event
 */
function nameOf(event) {
  const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
  if (event.getModifierState("AltGraph")) return key;
  if (altKey) return "";
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const shift = shiftKey && (letter || key.length > 1);
  const name = !letter ? key : shift ? key.toUpperCase() : key.toLowerCase();
  return `${ctrlKey ? "Control+" : ""}${metaKey ? "Meta+" : ""}${shift ? "Shift+" : ""}${name}`;
}

/** @type {(target: HTMLElement) => boolean} */
const takesText = (target) =>
  target.matches("textarea, input:not([type=range], [type=checkbox], [type=radio])") || target.isContentEditable;

/** @param {HTMLElement} target */
function leave(target) {
  openList(false);
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
  if (takesText(target)) target.blur();
}
