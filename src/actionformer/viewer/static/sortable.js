// @ts-check
// Tables that their headings sort.

import { element, fillRows } from "./elements.js";
import { byName } from "./format.js";

/** A table, sorted by the column `sortedBy` at first.
 *
 * Columns: [heading, row => value, value => text or null for names, row => element or nothing].
 * @template Row
 * @param {SortableColumn<Row>[]} columns
 * @param {Row[]} rows
 * @param {string} caption
 * @param {number} sortedBy
 */
export function sortable(columns, rows, caption, sortedBy) {
  let [by, direction] = [sortedBy, 1];
  const body = element("tbody", {});
  const heads = columns.map(([name, , numeric], i) =>
    element(
      "th",
      { scope: "col", class: numeric ? "number" : null },
      element("button", { click: () => sort(i) }, name),
    ),
  );
  const arrange = () => {
    const value = columns[by][1];
    const ordered = [...rows].sort((a, b) => compare(value(a), value(b), direction));
    fillRows(body, ordered, (row) =>
      element(
        "tr",
        {},
        columns.map(([, of, text, made]) =>
          element("td", { class: text ? "number" : null }, made ? made(row) : text ? text(of(row)) : of(row)),
        ),
      ),
    );
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", i !== by ? "none" : direction > 0 ? "ascending" : "descending"),
    );
  };
  const sort = (/** @type {number} */ i) => {
    direction = i === by ? -direction : 1;
    by = i;
    arrange();
  };
  arrange();
  return element(
    "div",
    { class: "scrolling tall-table", tabindex: 0, role: "region", "aria-label": caption },
    element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, heads)), body),
  );
}

/** Upwards or, with a `direction` of -1, downwards; what has no value comes last either way.
 * @param {string | number | null} a
 * @param {string | number | null} b
 * @param {number} direction
 */
function compare(a, b, direction) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return direction * (typeof a === "string" ? byName(a, String(b)) : a - Number(b));
}
