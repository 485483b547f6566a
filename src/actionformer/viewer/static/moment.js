// @ts-check
// One moment: which positions each level looks at from there, and what attention weighs, local beside global.

import { get, latest, videoAddress } from "./api.js";
import { themed } from "./colours.js";
import { byId, choice, element, table, words } from "./elements.js";
import { clock, count, lengths, plural, seconds } from "./format.js";
import { heat, timePlot } from "./plot.js";
import { NOT_YET, on, state } from "./state.js";
import { gutter } from "./surface.js";
import { filled, whenShown, whyNoNetwork } from "./views.js";

const ask = latest((signal, /** @type {string} */ id, /** @type {number} */ time, /** @type {number} */ block) =>
  get(videoAddress(id, "moment", { time: time.toFixed(3), block }), signal),
);

const beside = () => 60; // pixels: names of heads before the axis

/** @type {Moment} */
let answer = NOT_YET;
let block = 0;
/** @type {Record<string, any>} */
const parts = {};

export function startMoment() {
  on(["video"], () => (answer = NOT_YET));
  whenShown("moment", ["video", "project", "time", "playing"], fill, 120);
  whenShown("moment", ["theme"], () => answer && show());
}

/** While the video plays nothing is computed. */
async function fill() {
  if (state.playing) return false;
  const place = byId("moment");
  const why = whyNoNetwork();
  if (why || !state.video) return place.replaceChildren(words(why ?? "No video is open."));
  const { id } = state.video;
  const compute = () => ask(id, state.time, block);
  const given = await filled(place, "The network looks at this moment…", compute, answer !== null);
  if (!given || state.video.id !== id) return false;
  answer = given;
  if (!parts.cards) build();
  if (!place.contains(parts.says)) place.replaceChildren(...parts.cards);
  return show();
}

function build() {
  parts.windows = timePlot("What the window of each pyramid level covers");
  parts.title = element("h2", {});
  parts.says = element("p", { id: "moment-says", role: "status" });
  parts.block = element("span", {});
  parts.cost = element("p", { id: "moment-cost" });
  parts.local = timePlot("Local attention: weights by head and time", beside);
  parts.global = timePlot("Global attention: weights by head and time", beside);
  parts.ranges = element("div", {});
  parts.localTitle = element("h3", {});
  parts.globalSide = element(
    "div",
    {},
    element("h3", {}, "Global: the same queries and keys, no window"),
    parts.global.place,
  );
  parts.cards = [
    element(
      "div",
      { class: "card aligned" },
      parts.title,
      parts.says,
      parts.windows.place,
    ),
    element(
      "div",
      { class: "card" },
      element("div", { class: "row" }, element("h2", {}, "Attention"), parts.block),
      parts.cost,
      (parts.pair = element(
        "div",
        { class: "pair" },
        element("div", {}, parts.localTitle, parts.local.place),
        parts.globalSide,
      )),
    ),
    (parts.rangesCard = element("div", { class: "card" }, parts.ranges)),
  ];
}

async function show() {
  const widest = answer.levels.reduce((most, { window: [start, end] }) => Math.max(most, end - start), 0);
  const levels = answer.levels.length > 0;
  parts.title.textContent = levels ? "What each level sees from here" : "Where the network looks from here";
  parts.says.textContent = levels
    ? `At ${clock(state.time)} the widest window covers ${seconds(widest)}; move the playhead to look elsewhere.`
    : `At ${clock(state.time)}; move the playhead to look elsewhere. This detector has no levels to show.`;
  parts.windows.place.hidden = !levels;
  parts.rangesCard.hidden = !levels;
  const blocks = answer.blocks ?? [];
  if (blocks.length === 0) parts.block.replaceChildren();
  else if (!parts.block.contains(document.activeElement)) {
    parts.block.replaceChildren(
      element(
        "label",
        { class: "field" },
        "Block",
        choice(
          blocks.map((name, i) => [i, name]),
          block,
          (value) => {
            block = Number(value);
            fill();
          },
          { id: "block" },
        ),
      ),
    );
  }
  parts.ranges.replaceChildren(
    table(
      [
        ["Level", (row) => String(row.level), true],
        ["Stride", (row) => String(row.stride), true],
        ["Window of one block", (row) => bounded(row.window_seconds), true],
        ["Receptive radius of all blocks", (row) => bounded(row.reach_seconds), true],
        ["Further end of an action at", (row) => lengths(row.action_range), true],
      ],
      answer.ranges,
      "What each level sees; in the last column, how far away the further end of its actions lies",
    ),
  );
  return (await Promise.all([...(levels ? [showWindows()] : []), ...showAttention()])).every(Boolean);
}

/** @type {(value: number | null) => string} */
const bounded = (value) => (value === null ? "the whole video" : seconds(value));

function showWindows() {
  const traces = answer.levels.map(({ level, window: [start, end], positions }) => ({
    type: "scatter",
    mode: "lines",
    x: [start, end],
    y: [level, level],
    line: { width: 13, color: themed("accent") },
    hovertemplate: `level ${level}: ${plural(positions, "position")}, ${clock(start)} – ${clock(end)}<extra></extra>`,
  }));
  return parts.windows.draw(traces, {
    height: 50 + 30 * answer.levels.length,
    showlegend: false,
    yaxis: {
      range: [
        Math.max(...answer.levels.map(({ level }) => level)) + 0.6,
        Math.min(...answer.levels.map(({ level }) => level)) - 0.6,
      ],
      tickvals: answer.levels.map(({ level }) => level),
      ticktext: answer.levels.map(
        ({ level, positions }) => `<b>${level}</b>  ${gutter() < 100 ? positions : plural(positions, "position")}`,
      ),
      tickfont: { size: 11 },
    },
  });
}

/** Says what attention costs, and draws it; gives the promises of the plots. */
function showAttention() {
  parts.pair.hidden = !answer.attention;
  if (!answer.attention) {
    parts.cost.textContent = answer.why_not;
    return [];
  }
  const { heads, block: number, cost, places } = answer.attention;
  const name = answer.blocks?.[number] ?? `block ${number}`;
  parts.globalSide.hidden = !cost;
  parts.localTitle.textContent = cost ? "Local: as the network does it" : "What the places weigh";
  parts.cost.textContent = cost
    ? `In ${name}, ${plural(heads.length, "head")}: local attention multiplies ${count(cost.local)} pairs of positions, ` +
      `global attention would ${count(cost.global)}: ${(cost.global / cost.local).toFixed(1)} times as many.`
    : `In ${name}: ${plural(heads.length, "head")}, each of which looks at ${plural(places ?? 0, "place")}.`;
  const peak = heads.reduce((most, head) => Math.max(most, ...head.local.weight), 0);
  const sides = cost ? /** @type {const} */ (["local", "global"]) : /** @type {const} */ (["local"]);
  return sides.map((which) =>
    drawHeads(
      parts[which],
      heads.map((head) => /** @type {Weights} */ (head[which])),
      peak,
    ),
  );
}

/** Heads as rows, time across; both sides have one scale of colour (the root of the weight).
 * @param {TimePlot} plot
 * @param {Weights[]} heads
 * @param {number} peak
 */
function drawHeads(plot, heads, peak) {
  const traces = heads.map(({ time, weight }, i) => ({
    type: "heatmap",
    x: time,
    y: [i - 0.45, i + 0.45],
    z: [weight.map(Math.sqrt)],
    zmin: 0,
    zmax: Math.sqrt(peak),
    customdata: [weight],
    colorscale: heat,
    showscale: false,
    hovertemplate: `head ${i}, %{x:.2f} s: %{customdata:.4f}<extra></extra>`,
  }));
  return plot.draw(traces, {
    height: 50 + 26 * heads.length,
    showlegend: false,
    yaxis: {
      range: [heads.length - 0.5, -0.5],
      tickvals: heads.map((_, i) => i),
      ticktext: heads.map((_, i) => `head ${i}`),
      showgrid: false,
    },
  });
}
