// @ts-check
// Everything by keyboard, and the list of it.

import { byId, element } from "./elements.js";
import { keyBindings, toggleHelp } from "./key_bindings.js";
import { on, state } from "./state.js";
import { openList } from "./videos.js";

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
let bound = new Map();
/** @type {boolean | null} */
let labelling = null; // for which of the two the keys are bound

export function startKeys() {
  on(["project"], bind);
  document.addEventListener("keydown", press);
  document.addEventListener("pointerdown", () => (tabbed = false));
  document.addEventListener("keyup", (event) => event.key === " " && played && event.preventDefault());
  byId("help").addEventListener("click", toggleHelp);
  bind();
}

function bind() {
  const wanted = Boolean(state.project?.labelling);
  if (wanted === labelling) return;
  labelling = wanted;
  const groups = keyBindings(wanted);
  const all = Object.values(groups).flat();
  bound = new Map(all.flatMap(([keys, , act]) => keys.map((key) => [key, act])));
  byId("keys").replaceChildren(
    element(
      "div",
      { class: "row" },
      element("h2", { id: "keys-title" }, "Keys"),
      element("button", { class: "quiet", click: toggleHelp }, "Close"),
    ),
    element(
      "div",
      { class: "columns" },
      Object.entries(groups).map(([group, keys]) => section(group, keys)),
    ),
  );
}

/**
 * @param {string} group
 * @param {Binding[]} keys
 */
function section(group, keys) {
  const rows = keys
    .filter(([, says]) => says)
    .flatMap(([names, says]) => [element("dt", {}, keyNames(names)), element("dd", {}, says)]);
  return element("section", {}, element("h3", {}, group), element("dl", {}, rows));
}

/** @param {string[]} names */
function keyNames(names) {
  if (names[0] === "1" && labelling) return [element("kbd", {}, "1"), "–", element("kbd", {}, "9")];
  return names
    .slice(0, 2)
    .filter((name) => !name.startsWith("Meta"))
    .map((name) => element("kbd", {}, keyName(name)));
}

/** @type {(part: string) => string} */
const partName = (part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part);
/** @type {(key: string) => string} */
const keyName = (key) => (key === "+" ? key : key.split("+").map(partName).join(" "));

let tabbed = true; // whether what has the focus was reached by keyboard, and not by a click
let played = false; // whether the space bar that is down plays: some browsers press a button when it is let go

/** @param {KeyboardEvent} event */
function press(event) {
  const { key } = event;
  const target = focused(event);
  tabbed ||= key === "Tab";
  played = false;
  if (event.defaultPrevented) return; // what had the focus took it, and a dialog may have closed by that
  if (document.querySelector("dialog[open]") && !(byId("keys").open && key === "?")) return; // the browser's part
  if (key === "Escape" && leave(target)) return;
  if (takesText(target)) return;
  const name = nameOf(event);
  const act = bound.get(name);
  if (!act || isItsOwn(target, key)) return;
  event.preventDefault();
  played = key === " ";
  act();
}

/** What has the focus. A dialog that was closed keeps it until the browser has said so: then it is the page's.
 * @param {KeyboardEvent} event
 */
function focused(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  return target.closest("dialog:not([open])") ? document.body : target;
}

/** Whether a key means something to what has the focus. The space bar and Enter do so only to those who got there by
 * keyboard: after a click they are the page's.
 * @param {Element} target
 * @param {string} key
 */
function isItsOwn(target, key) {
  if (key === " " || key === "Enter")
    return tabbed && target.closest("button, summary, select, input:not([type=range]), a");
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

/** Closes what is open over the page, and leaves a text; gives whether there was any.
 * @param {HTMLElement} target
 */
function leave(target) {
  const menus = document.querySelectorAll("details.menu[open]");
  const open = document.body.classList.contains("list-open") || menus.length > 0 || takesText(target);
  openList(false);
  for (const menu of menus) menu.removeAttribute("open");
  if (takesText(target)) target.blur();
  return open;
}
