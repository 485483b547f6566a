// @ts-check
// Elements of the page. Text from files enters as text alone, never as markup.

/** @type {(id: string) => any} */
export const byId = (id) => document.getElementById(id);

/** A new element. Functions among `attributes` listen, `true` sets, null and false leave out; strings are text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Content} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name === "value" || name === "checked" || name === "selected") Object.assign(made, { [name]: value });
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(
    .../** @type {(Node | string)[]} */ (children.flat().filter((child) => child !== null && child !== undefined)),
  );
  return made;
}

/** A framed part of a view.
 * @type {(...children: Content[]) => HTMLElement}
 */
export const card = (...children) => element("div", { class: "card" }, children);

/** A drop-down with [value, text] pairs.
 * @param {[string | number, string | number][]} options
 * @param {string | number} selected
 * @param {(value: string) => void} change
 * @param {Record<string, any>} [attributes]
 */
export function choice(options, selected, change, attributes = {}) {
  const made = element(
    "select",
    { ...attributes, change: () => change(made.value) },
    options.map(([value, text]) => element("option", { value, selected: String(value) === String(selected) }, text)),
  );
  return made;
}

/** A slider with a label and its value beside it.
 * @param {string} text
 * @param {SliderOptions} options
 */
export function slider(text, { min, max, step, value, show = String, change, id }) {
  const output = element("output", {}, show(value));
  const input = element("input", {
    type: "range",
    id,
    min,
    max,
    step,
    input: () => {
      output.textContent = show(input.valueAsNumber);
      change(input.valueAsNumber);
    },
  });
  input.value = String(value);
  return element("label", { class: "field" }, text, input, output);
}

/** A table; `columns` are [heading, row => text, is it a number].
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {Row[]} rows
 * @param {string} caption
 */
export function table(columns, rows, caption) {
  /** @type {(tag: "th" | "td", content: string, numeric?: boolean, attributes?: Record<string, any>) => HTMLElement} */
  const cell = (tag, content, numeric, attributes = {}) =>
    element(tag, { class: numeric ? "number" : null, ...attributes }, content);
  return element(
    "div",
    { class: "scrolling", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          columns.map(([head, , numeric]) => cell("th", head, numeric, { scope: "col" })),
        ),
      ),
      element(
        "tbody",
        {},
        rows.map((row) =>
          element(
            "tr",
            {},
            columns.map(([, show, numeric]) => cell("td", show(row), numeric)),
          ),
        ),
      ),
    ),
  );
}

const AT_ONCE = 200;

/** Fills a place with `make(item)` of every item; what lies far down is made when one scrolls there.
 * @template Item
 * @param {HTMLElement} place
 * @param {Item[]} items
 * @param {(item: Item) => Node} make
 */
export function fillRows(place, items, make) {
  let made = 0;
  const end = place.tagName === "TBODY" ? element("tr", {}, element("td", {}, "…")) : element("li", {}, "…");
  const more = () => {
    end.before(...items.slice(made, made + AT_ONCE).map(make));
    made += AT_ONCE;
    if (made < items.length) return;
    near.disconnect();
    end.remove();
  };
  const near = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && more());
  place.replaceChildren(end);
  near.observe(end);
  more();
}

/** A sentence in which commands, between backticks, and options stay in one piece.
 * @type {(text: string) => Content[]}
 */
export const prose = (text) =>
  text
    .split(/(`[^`]+`|--[a-z][\w-]*)/)
    .map((part, i) => (i % 2 ? element("code", {}, part.replaceAll("`", "")) : part));

/** What is said where something would be.
 * @type {(text: string) => HTMLElement}
 */
export const words = (text) => element("p", { class: "words" }, prose(text.charAt(0).toUpperCase() + text.slice(1)));

/** Says that work goes on.
 * @type {(text: string) => HTMLElement}
 */
export const loading = (text) =>
  element(
    "p",
    { class: "words loading", role: "status" },
    element("span", { class: "wheel", "aria-hidden": "true" }),
    text,
  );

/** Puts a sentence into the region that screen readers speak.
 * @param {string} text
 */
export function speak(text) {
  byId("spoken").textContent = text;
}

const READ = 5000; // milliseconds that a hint stands

let hinted = 0;

/** Says for some seconds, to those who see and to those who hear the page, why nothing came of a key.
 * @param {string} text
 */
export function hint(text) {
  speak(text);
  const place = byId("hint");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hinted);
  hinted = setTimeout(() => (place.hidden = true), READ);
}

/** Says something beside the pointer of an event; null says nothing.
 * @param {MouseEvent} event
 * @param {string | null} text
 */
export function showTooltip(event, text) {
  const tooltip = byId("tooltip");
  tooltip.hidden = !text;
  if (!text) return;
  tooltip.textContent = text;
  const room = innerWidth - tooltip.offsetWidth - 8;
  tooltip.style.left = `${Math.max(Math.min(event.clientX + 12, room), 4)}px`;
  tooltip.style.top = `${event.clientY + 18}px`;
}

export const hideTooltip = () => (byId("tooltip").hidden = true);

/** Shows an error above the view until it is closed or the next one comes; null hides it.
 * @param {string | null} text
 */
export function notice(text) {
  const place = byId("notice");
  place.hidden = !text;
  place.replaceChildren(
    ...(text
      ? [
          element("span", {}, prose(text)),
          element("button", { class: "quiet", click: () => notice(null), "aria-label": "Close" }, "×"),
        ]
      : []),
  );
}
