// @ts-check
// Plotly, loaded when the first plot is wanted, dressed in the page's colours and tied to the timeline.

import { themed } from "./colours.js";
import { byId, element, words } from "./elements.js";
import { duration, on, oncePerFrame, set, spanAround, state } from "./state.js";
import { gutter } from "./surface.js";
import { seek } from "./player.js";

/** @type {[number, string][]} */
const HEAT = [
  [0, "#00224e"],
  [0.25, "#414d6b"],
  [0.5, "#7d7c78"],
  [0.75, "#bcae6c"],
  [1, "#fee838"],
]; // cividis, in steps
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

export const heat = HEAT;
/** @type {(i: number) => string} */
export const dash = (i) => DASHES[i % DASHES.length];

/** @type {Promise<any> | null} */
let wanted = null;

/** The library, or null if it did not load; then the next plot tries again. */
function plotly() {
  wanted ??= byId("plotly") ? kept() : asked();
  return wanted;
}

/** In a saved report it lies as text, which costs nothing until it is run. */
async function kept() {
  document.head.append(element("script", {}, byId("plotly").textContent));
  return globalThis.Plotly;
}

function asked() {
  return new Promise((done) => {
    const load = () => done(globalThis.Plotly);
    const error = () => {
      script.remove();
      wanted = null;
      done(null);
    };
    const script = element("script", { src: "static/plotly.min.js", load, error });
    document.head.append(script);
  });
}

/** Names as text: Plotly would read tags in them.
 * @type {(text: string) => string}
 */
export const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @type {(more: object) => object} */
const axis = (more) => ({
  gridcolor: themed("line"),
  zerolinecolor: themed("line"),
  linecolor: themed("line"),
  tickfont: { color: themed("faint") },
  title: { font: { color: themed("faint") } },
  fixedrange: true,
  ...more,
});

/** Draws traces into a place, or draws it anew; axes are given as what differs from the page's. A place lasts as long
 * as the page: a view makes its own once. Gives false where the library did not load, which the place says.
 * @param {any} place
 * @param {object[]} traces
 * @param {Record<string, any>} options
 */
export async function draw(place, traces, { xaxis = {}, yaxis = {}, ...layout } = {}) {
  const library = await plotly();
  if (!library) {
    place.replaceChildren(words("The plotting library did not load. Is the program that opened this page still running?"));
    return false;
  }
  if (!place._fullLayout) place.replaceChildren();
  const named = (/** @type {Record<string, any>} */ given) =>
    axis({ ...given, title: { text: given.title ?? "", font: { color: themed("faint"), size: 12 } } });
  await library.react(
    place,
    traces,
    {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: themed("text") },
      margin: { l: 52, r: 12, t: 10, b: 40 },
      height: 240,
      showlegend: traces.length > 1,
      legend: { orientation: "h", y: -0.2, font: { color: themed("text") } },
      hoverlabel: { font: { family: "system-ui, sans-serif" } },
      ...layout,
      xaxis: named(xaxis),
      yaxis: named(yaxis),
    },
    { responsive: true, displayModeBar: false, displaylogo: false },
  );
  return true;
}

/** A place for plots on the timeline's axis: its span and playhead are the timeline's, a click seeks. `left` gives the
 * pixels before the axis, as many as the timeline has unless told otherwise.
 * @param {string} label
 * @param {() => number} [left]
 * @returns {TimePlot}
 */
export function timePlot(label, left = gutter) {
  const line = element("div", { class: "playline" });
  /** @type {any} */
  const inner = element("div", { role: "img", "aria-label": label });
  const place = element("div", { class: "plot" }, inner, line);
  const shown = () => inner._fullLayout && place.offsetParent !== null;
  const follow = oncePerFrame(() => {
    if (!shown() || state.view.every((end, i) => end === inner._fullLayout.xaxis.range[i])) return;
    globalThis.Plotly.relayout(inner, { "xaxis.range": [...state.view] });
  });
  const move = () => {
    if (!shown()) return;
    const [start, end] = state.view;
    const width = place.clientWidth - left() - 8;
    line.hidden = state.time < start || state.time > end;
    line.style.transform = `translateX(${left() + (width * (state.time - start)) / (end - start)}px)`;
  };
  on(["view", "tab"], follow);
  on(["time", "view", "tab"], move);
  let listening = false;
  return {
    place,
    async draw(traces, { xaxis = {}, ...layout }) {
      const drawn = await draw(inner, traces, {
        dragmode: "zoom",
        ...layout,
        margin: { l: left(), r: 8, t: 6, b: 26, ...layout.margin },
        xaxis: {
          range: [...state.view],
          fixedrange: false,
          ticks: "",
          showticklabels: true,
          ticksuffix: " s",
          ...xaxis,
        },
      });
      if (!drawn) return false;
      if (!listening) listen(inner);
      listening = true;
      follow();
      move();
      return true;
    },
  };
}

/** @param {any} inner */
function listen(inner) {
  inner.on("plotly_relayout", (/** @type {Record<string, any>} */ event) => {
    const [start, end] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
    if (start !== undefined) set({ view: spanAround((start + end) / 2, end - start, duration()) });
    if (event["xaxis.autorange"]) set({ view: [0, duration()] });
  });
  inner.on(
    "plotly_click",
    (/** @type {{points: {x: unknown}[]}} */ { points }) => typeof points[0].x === "number" && seek(points[0].x),
  );
}
