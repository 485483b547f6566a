// Tables that their headings sort.

import { element } from "./elements.js";

/** A table, sorted by the column `sortedBy` at first.
 *
 * Columns: [heading, row => value, value => text or null for names, row => element or nothing]. */
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
  const fillRows = () => {
    const value = columns[by][1];
    const ordered = [...rows].sort((a, b) => direction * compare(value(a), value(b)));
    body.replaceChildren(
      ...ordered.map((row) =>
        element(
          "tr",
          {},
          columns.map(([, of, text, made]) =>
            element("td", { class: text ? "number" : null }, made ? made(row) : text ? text(of(row)) : of(row)),
          ),
        ),
      ),
    );
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", i !== by ? "none" : direction > 0 ? "ascending" : "descending"),
    );
  };
  const sort = (i) => {
    direction = i === by ? -direction : 1;
    by = i;
    fillRows();
  };
  fillRows();
  return element(
    "div",
    { class: "scrolling tall-table", tabindex: 0, role: "region", "aria-label": caption },
    element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, heads)), body),
  );
}

/** What has no value comes last. */
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
}
