// @ts-check
// Classes where videos are labelled: one is picked by typing; they are added and renamed.

import { Refused, send } from "./api.js";
import { byId, element, speak } from "./elements.js";
import { set, state } from "./state.js";

const MOST_LISTED = 50;

/** Asks for a class by typing, and calls `act` with it; a name that is new can be made one.
 * @param {string} title
 * @param {(label: number) => void} act
 */
export function pickClass(title, act) {
  const input = element("input", {
    type: "search",
    role: "combobox",
    "aria-controls": "picked",
    "aria-expanded": "true",
    "aria-label": "Class",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = element("ul", { id: "picked", role: "listbox", "aria-label": "Classes" });
  const said = element("p", { class: "faint", role: "alert" });
  const dialog = opened(title, input, list, said);
  let at = 0;

  /** @param {Offer} offer */
  async function take({ label, name }) {
    const taken = label ?? (await told(said, () => addClass(name)));
    if (taken === null) return;
    dialog.close();
    act(taken);
  }

  function show() {
    const offers = offered(input.value);
    at = Math.min(at, Math.max(offers.length - 1, 0));
    list.replaceChildren(
      ...offers.map((offer, i) =>
        element(
          "li",
          { id: `picked-${i}`, role: "option", "aria-selected": String(i === at), click: () => take(offer) },
          offer.label === null ? `New class “${offer.name}”` : offer.name,
        ),
      ),
    );
    input.setAttribute("aria-activedescendant", `picked-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  input.addEventListener("input", () => {
    at = 0;
    show();
  });
  input.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    const offers = offered(input.value);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) at = (at + step + offers.length) % Math.max(offers.length, 1);
    else if (event.key === "Enter" && offers[at]) take(offers[at]);
    if (step || event.key === "Enter") event.preventDefault();
    if (step) show();
  });
  show();
}

/** Classes that hold a text, those that begin with it first; and the text itself where it is none.
 * @param {string} text
 * @returns {Offer[]}
 */
function offered(text) {
  const wanted = folded(text);
  const offers = state.project.classes
    .map((name, label) => ({ label, name, at: folded(name).indexOf(wanted) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => Number(a.at > 0) - Number(b.at > 0) || a.label - b.label)
    .slice(0, MOST_LISTED);
  const isNew = wanted && !state.project.classes.some((name) => folded(name) === wanted);
  return isNew ? [...offers, { label: null, name: text.trim() }] : offers;
}

/** @type {(text: string) => string} */
const folded = (text) => text.trim().normalize().toLowerCase();

/** The list of classes, each of which can be renamed, and a place for a new one. */
export function openClasses() {
  if (!state.editing) return;
  const said = element("p", { class: "faint", role: "alert" });
  const rows = element("ol", { class: "names" });
  const added = element("input", { id: "new-class", "aria-label": "Name of a new class", autocomplete: "off" });
  const add = async () => {
    const label = await told(said, () => addClass(added.value));
    if (label === null) return;
    added.value = "";
    fill();
  };
  const form = element(
    "form",
    {
      class: "row",
      submit: (/** @type {Event} */ event) => {
        event.preventDefault();
        add();
      },
    },
    added,
    element("button", { class: "primary" }, "Add the class"),
  );
  const fill = () => rows.replaceChildren(...state.project.classes.map((name, label) => row(name, label, said)));
  fill();
  opened("Classes", element("p", { class: "faint" }, "Change a name to rename the class everywhere."), rows, form, said);
  added.focus();
}

/**
 * @param {string} name
 * @param {number} label
 * @param {HTMLElement} said
 */
function row(name, label, said) {
  const input = element("input", { value: name, "aria-label": `Name of class ${label + 1}`, autocomplete: "off" });
  input.addEventListener("change", async () => {
    if ((await told(said, () => renameClass(label, input.value))) === null) input.value = state.project.classes[label];
  });
  return element("li", {}, input);
}

/** What `act` gives; null where it was refused, which is said.
 * @template Result
 * @param {HTMLElement} said
 * @param {() => Promise<Result>} act
 * @returns {Promise<Result | null>}
 */
async function told(said, act) {
  try {
    const result = await act();
    said.textContent = "";
    return result;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    said.textContent = error.message;
    return null;
  }
}

/** @param {string} name */
async function addClass(name) {
  const { label, classes } = await send("POST", "api/classes", { name });
  set({ project: { ...state.project, classes } });
  speak(`Class ${name} added`);
  return label;
}

/** Renames a class everywhere.
 * @param {number} label
 * @param {string} name
 */
async function renameClass(label, name) {
  const { classes } = await send("PUT", `api/classes/${label}`, { name });
  set({ project: { ...state.project, classes } });
  speak(`The class is called ${name} now`);
}

/** A dialog with a title, shown until it is closed.
 * @param {string} title
 * @param {...Node} content
 */
function opened(title, ...content) {
  byId("ask")?.remove();
  const close = element("button", { class: "quiet", click: () => dialog.close() }, "Close");
  const heading = element("div", { class: "row" }, element("h2", { id: "ask-title" }, title), close);
  const dialog = element("dialog", { id: "ask", "aria-labelledby": "ask-title" }, heading, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector("input");
  first?.focus();
  return dialog;
}
