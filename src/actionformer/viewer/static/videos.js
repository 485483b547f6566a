// @ts-check
// The list of videos: searched, ordered, and one of them opened.

import { Refused, get, latest, videoAddress } from "./api.js";
import { byId, element, fillRows, loading, notice } from "./elements.js";
import { byName, clock, percent, plural } from "./format.js";
import { durationOf, on, set, spanAround, state } from "./state.js";

const PATIENCE = 200; // milliseconds until it is said that a video is being opened

/** @type {Record<string, [string, (a: ListedVideo, b: ListedVideo) => number]>} */
const ORDERS = {
  worst: ["Worst first", (a, b) => precision(a, 2) - precision(b, 2)],
  best: ["Best first", (a, b) => precision(b, -1) - precision(a, -1)],
  name: ["Name", (a, b) => byName(a.id, b.id)],
  todo: ["To do first", (a, b) => Number(a.done) - Number(b.done) || byName(a.id, b.id)],
  longest: ["Longest first", (a, b) => (b.duration ?? 0) - (a.duration ?? 0)],
  detections: ["Most detections", (a, b) => (b.detections ?? -1) - (a.detections ?? -1)],
};

/** Average precision of a video; null where none is known.
 * @type {(id: string) => ByTiou | null}
 */
export const precisionOf = (id) => state.precision?.[id] ?? null;

/** Average precision at the chosen tIoU, or of what there is; without one, `none`.
 * @template None
 * @param {ListedVideo} video
 * @param {None} none
 * @returns {number | None}
 */
function precision(video, none) {
  const values = Object.entries(precisionOf(video.id) ?? {}).flatMap(([tiou, value]) =>
    value === null ? [] : [{ tiou, value }],
  );
  const chosen = values.find(({ tiou }) => Number(tiou) === state.tiou) ?? values[0];
  return chosen ? chosen.value : none;
}

export function startVideos() {
  byId("search").addEventListener("input", showList);
  byId("search").addEventListener("keydown", openFirst);
  byId("order").addEventListener("change", showList);
  byId("list-toggle").addEventListener("click", () => openList(!document.body.classList.contains("list-open")));
  on(["precision"], offerOrders);
  on(["project", "precision", "tiou"], showList);
  on(["video"], markCurrent);
  on(["video"], learn);
  on(["actions", "decided", "done", "editing"], learnLabels);
  on(["done", "editing"], () => state.editing && countVideos());
}

/** Enter in the search opens what it found first, and the keys are the page's again.
 * @param {KeyboardEvent} event
 */
function openFirst({ key }) {
  const [first] = listed();
  if (key !== "Enter" || !first) return;
  byId("search").blur();
  open(first.id);
}

/** @param {boolean} open */
export function openList(open) {
  document.body.classList.toggle("list-open", open);
  byId("list-toggle").setAttribute("aria-expanded", String(open));
  if (open) byId("search").focus();
}

/** Offers only orders that this project has numbers for. */
function offerOrders() {
  const judged = state.project.videos.some((video) => precision(video, null) !== null);
  const unknown = [...(judged ? [] : ["worst", "best"]), state.project.labelling ? "detections" : "todo"];
  const names = Object.keys(ORDERS).filter((name) => !unknown.includes(name));
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
  countVideos();
  fillRows(byId("video-list"), videos, row);
  if (videos.length === 0)
    byId("video-list").append(element("li", { class: "faint" }, "No video has this in its name."));
}

export function countVideos() {
  const [found, all] = [listed().length, state.project.videos.length];
  const shown = found === all ? plural(all, "video") : `${found} of ${plural(all, "video")}`;
  const done = state.project.videos.filter((one) => one.done).length;
  byId("video-count").textContent = state.project.labelling ? `${shown} · ${done} done` : shown;
}

/** @type {(video: ListedVideo) => string} */
const facts = (video) => (video.why_not ? `Cannot be opened: ${video.why_not}` : known(video));

/** @type {(video: ListedVideo) => string} */
const known = (video) =>
  [
    video.duration ? clock(video.duration, 0) : null,
    ...(state.project.labelling ? progress(video) : counts(video)),
  ]
    .filter(Boolean)
    .join(" · ");

/** @type {(video: ListedVideo) => (string | null)[]} */
const counts = (video) => [
  video.detections === null ? null : plural(video.detections, "detection"),
  video.actions === null ? null : plural(video.actions, "action"),
  video.corrected ? "corrected" : null,
];

/** How far labelling is.
 * @type {(video: ListedVideo) => (string | null)[]}
 */
const progress = ({ actions, drafts, done }) => [
  actions ? plural(actions, "action") : done ? "nothing happens" : null,
  drafts ? plural(drafts, "draft") : null,
  done ? "✓ done" : actions ? "begun" : "not begun",
];

/** The next video of the list that is not done and can be opened; after the last one the first. */
export function nextToLabel() {
  const videos = listed();
  const here = videos.findIndex(({ id }) => id === state.video?.id);
  const others = [...videos.slice(here + 1), ...videos.slice(0, Math.max(here, 0))];
  return others.find((one) => !one.done && !one.why_not) ?? null;
}

/** Opens the first video of the list that is not done, and can be opened. */
export async function openFirstToLabel() {
  const videos = listed();
  for (const { id } of [...videos.filter((one) => !one.done), ...videos]) {
    await open(id);
    if (state.video?.playable) return;
  }
}

/** @type {(id: string) => HTMLElement | null} */
const buttonOf = (id) => byId("video-list").querySelector(`[data-id="${CSS.escape(id)}"]`);

/** What is known of a video only once it was opened is told in the list too. */
function learn() {
  const { id, detections, duration, corrected } = state.video;
  const video = state.project.videos.find((one) => one.id === id);
  if (!video) return;
  Object.assign(video, { detections: detections.length, duration, corrected });
  retell(video);
}

/** @param {ListedVideo} video */
export function retell(video) {
  const told = buttonOf(video.id)?.querySelector(".facts");
  if (told) told.textContent = facts(video);
}

/** While a video is labelled, the list says how far it is. */
function learnLabels() {
  if (!state.project?.labelling || !state.editing) return;
  const video = state.project.videos.find((one) => one.id === state.video.id);
  if (!video) return;
  const gone = new Set(state.decided);
  const least = state.project.draft_score ?? 0;
  const drafts = state.video.detections.filter((one, i) => one.score >= least && !gone.has(i)).length;
  Object.assign(video, { actions: state.actions.length, drafts, done: state.done });
  retell(video);
}

/** @param {ListedVideo} video */
function row(video) {
  const ap = precision(video, null);
  return element(
    "li",
    {},
    element(
      "button",
      { "data-id": video.id, "aria-current": String(video.id === state.video?.id), click: () => open(video.id) },
      element("span", { class: "name" }, video.id),
      ap === null ? null : element("span", { class: "ap", title: "average precision of this video" }, percent(ap)),
      element("span", { class: "faint facts" }, facts(video)),
      ap === null ? null : element("meter", { min: 0, max: 1, value: ap, "aria-hidden": "true" }),
    ),
  );
}

function markCurrent() {
  for (const button of byId("video-list").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === state.video?.id));
  }
}

/** As Python writes it, so that a saved report finds it: "1.0", not "1".
 * @type {(tiou: number) => string}
 */
export const tiouText = (tiou) => (Number.isInteger(tiou) ? tiou.toFixed(1) : String(tiou));

const ask = latest((signal, /** @type {string} */ id) => {
  const asked = { tiou: tiouText(state.tiou), corrected: state.corrected ? true : null };
  return get(videoAddress(id, "", asked), signal);
});

/** @type {Opening | null} */
let awaited = null; // {id, start} of the video that is being opened

/** Opens a video; one that was asked for later wins. `start` may give what else is to be set, such as time and view.
 * @param {string} id
 * @param {Partial<State>} [start]
 */
export async function open(id, start = {}) {
  const mine = (awaited = { id, start });
  const wait = loading(`${id} is being opened…`);
  const slow = setTimeout(() => byId("panel").prepend(wait), state.video ? PATIENCE : 0);
  try {
    const video = await ask(id);
    if (!video) return;
    awaited = null;
    notice(null);
    set({ video, actions: video.actions, chosen: null, playing: false, ...start, ...placed(video, start) });
    openList(false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(`${id}: ${error.message}`);
  } finally {
    clearTimeout(slow);
    wait.remove();
    if (awaited === mine) awaited = null;
  }
}

/** Where in a video one begins: as asked for, as far as the video has it.
 * @param {Video} video
 * @param {Partial<State>} start
 */
function placed(video, { time = 0, view: [from, to] = [0, Infinity] }) {
  const length = durationOf(video, video.actions);
  const end = Math.min(to, length);
  /** @type {Span} */
  const view = from < end ? spanAround((from + end) / 2, end - from, length) : [0, length];
  return { time: Math.min(time, length), view };
}

/** The same video judged at another tIoU, or by another ground truth: `changes` of the state; nothing else changes.
 * @param {Partial<Pick<State, "tiou" | "corrected">>} changes
 */
export async function judge(changes) {
  const before = { tiou: state.tiou, corrected: state.corrected };
  set(changes);
  if (awaited) return open(awaited.id, awaited.start); // which is judged as it is asked for
  if (!state.video) return;
  try {
    const video = await ask(state.video.id);
    if (!video) return;
    const chosen = "corrected" in changes ? null : state.chosen; // other actions have other numbers
    set({ video, chosen, ...(state.editing ? {} : { actions: video.actions }) });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    set(before);
    notice(error.message);
  }
}
