// The list of videos: searched, ordered, and one of them opened.

import { Refused, get, videoAddress } from "./api.js";
import { byId, element, fillRows, loading, notice } from "./elements.js";
import { byName, clock, percent, plural } from "./format.js";
import { on, set, state } from "./state.js";

const ORDERS = {
  worst: ["Worst first", (a, b) => precision(a) - precision(b)],
  best: ["Best first", (a, b) => precision(b, -1) - precision(a, -1)],
  name: ["Name", (a, b) => byName(a.id, b.id)],
  longest: ["Longest first", (a, b) => (b.duration ?? 0) - (a.duration ?? 0)],
  detections: ["Most detections", (a, b) => (b.detections ?? -1) - (a.detections ?? -1)],
};

/** Average precision at the chosen tIoU, or of what there is; without one, `none`. */
function precision(video, none = 2) {
  const values = Object.entries(video.ap ?? {}).filter(([, value]) => value !== null);
  const chosen = values.find(([tiou]) => Number(tiou) === state.tiou) ?? values[0];
  return chosen ? chosen[1] : none;
}

export function startVideos() {
  byId("search").addEventListener("input", showList);
  byId("order").addEventListener("change", showList);
  byId("list-toggle").addEventListener("click", () => openList(!document.body.classList.contains("list-open")));
  on(["project"], offerOrders);
  on(["project", "tiou"], showList);
  on(["video"], markCurrent);
}

export function openList(open) {
  document.body.classList.toggle("list-open", open);
  byId("list-toggle").setAttribute("aria-expanded", String(open));
  if (open) byId("search").focus();
}

/** Offers only orders that this project has numbers for. */
function offerOrders() {
  const judged = state.project.videos.some((video) => precision(video, null) !== null);
  const names = Object.keys(ORDERS).filter((name) => judged || !["worst", "best"].includes(name));
  byId("order").replaceChildren(...names.map((name) => element("option", { value: name }, ORDERS[name][0])));
}

/** The videos that the search lets through, in the chosen order. */
export function listed() {
  const wanted = byId("search").value.trim().toLowerCase();
  const order = ORDERS[byId("order").value] ?? ORDERS.name;
  return state.project.videos.filter(({ id }) => id.toLowerCase().includes(wanted)).sort(order[1]);
}

function showList() {
  if (!state.project) return;
  const videos = listed();
  const all = state.project.videos.length;
  byId("video-count").textContent =
    videos.length === all ? plural(all, "video") : `${videos.length} of ${plural(all, "video")}`;
  fillRows(byId("video-list"), videos, row);
  if (videos.length === 0)
    byId("video-list").append(element("li", { class: "faint" }, "No video has this in its name."));
}

function row(video) {
  const ap = precision(video, null);
  const facts = [
    video.duration ? clock(video.duration, 0) : null,
    video.detections === null ? null : plural(video.detections, "detection"),
    video.actions === null ? null : plural(video.actions, "action"),
  ]
    .filter(Boolean)
    .join(" · ");
  return element(
    "li",
    {},
    element(
      "button",
      { "data-id": video.id, "aria-current": String(video.id === state.video?.id), click: () => open(video.id) },
      element("span", { class: "name" }, video.id),
      ap === null ? null : element("span", { class: "ap", title: "average precision of this video" }, percent(ap)),
      element("span", { class: "faint facts" }, facts),
      ap === null ? null : element("meter", { min: 0, max: 1, value: ap, "aria-hidden": "true" }),
    ),
  );
}

function markCurrent() {
  for (const button of byId("video-list").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === state.video?.id));
  }
}

let asked = 0;
let opening = null; // what is said while a video is waited for

/** Opens a video; one that was asked for later wins. `start` may give what else is to be set, such as a time. */
export async function open(id, start = {}) {
  const mine = (asked += 1);
  opening?.remove();
  opening = loading(`${id} is being opened…`);
  const slow = setTimeout((words) => byId("panel").prepend(words), 200, opening);
  try {
    const video = await get(addressOf(id));
    if (mine !== asked) return;
    notice(null);
    const length = Math.max(video.duration ?? 0, ...video.actions.map((one) => one.segment[1]), latestEnd(video), 0.1);
    set({ video, actions: video.actions, chosen: null, time: 0, view: [0, length], playing: false, ...start });
    openList(false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(`${id}: ${error.message}`);
  } finally {
    clearTimeout(slow);
    if (mine === asked) opening.remove();
  }
}

const latestEnd = (video) => video.detections.reduce((latest, one) => Math.max(latest, one.segment[1]), 0);

/** As Python writes it, so that a saved report finds it: "1.0", not "1". */
export const tiouText = (tiou) => (Number.isInteger(tiou) ? tiou.toFixed(1) : String(tiou));

const addressOf = (id) =>
  videoAddress(id, "", { tiou: tiouText(state.tiou), corrected: state.corrected ? true : null });

/** The same video judged at another tIoU, or by another ground truth: `changes` of the state; nothing else changes. */
export async function judge(changes) {
  set(changes);
  if (!state.video) return;
  const { id } = state.video;
  const mine = (asked += 1);
  try {
    const video = await get(addressOf(id));
    if (mine !== asked || state.video?.id !== id) return;
    const chosen = "corrected" in changes ? null : state.chosen; // other actions have other numbers
    set({ video, chosen, ...(state.editing ? {} : { actions: video.actions }) });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message);
  }
}
