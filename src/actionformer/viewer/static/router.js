// @ts-check
// The address keeps what is looked at, so that a link shows someone else the same, and going back goes back.

import { notice } from "./elements.js";
import { PER_CLASS, scoreWord } from "./filters.js";
import { seek } from "./player.js";
import { duration, on, set, spanAround, state } from "./state.js";
import { TABS } from "./tabs.js";
import { judge, listed, open } from "./videos.js";
import { delayed } from "./views.js";

const REST = 300; // milliseconds without a change until the address is written
const LONGEST = 1e7; // seconds that an address may name

/** @type {string | null} */
let entry = null; // what the current entry of the history is about: video and tab
/** @type {string | null} */
let known = null; // the address that was read or written last; another one waits to be followed
let following = 0; // how many addresses are being followed

export function startRouter() {
  on(["video", "tab"], write);
  on(["time", "view", "minScore", "tiou"], delayed(write, REST));
  addEventListener("hashchange", () => state.project && follow());
}

/** Writes what is looked at. Another video or tab is a new entry of the history, all else belongs to the present one. */
function write() {
  if (!state.video || following || location.hash !== known) return;
  const about = `${state.video.id} ${state.tab}`;
  /** @type {Record<string, string>} */
  const place = { video: state.video.id, tab: state.tab, at: state.time.toFixed(2) };
  const [from, to] = state.view;
  if (from > 0 || to < duration()) place.view = `${from.toFixed(2)}-${to.toFixed(2)}`;
  const address = `#${new URLSearchParams({ ...place, score: scoreWord(), tiou: String(state.tiou) })}`;
  if (entry !== null && entry !== about) history.pushState(null, "", address);
  else if (address !== location.hash) history.replaceState(null, "", address);
  [entry, known] = [about, location.hash];
}

/** Whether the address names a video that is here. */
export const namesVideo = () => state.project.videos.some(({ id }) => id === asked().id);

/** Goes where the address says; what is not there or not valid in it stays as it is. */
export async function follow() {
  const { id, time, view, ...changes } = asked();
  const gone = id !== null && !state.project.videos.some((video) => video.id === id);
  const there = gone ? {} : { time, view };
  following += 1;
  known = location.hash;
  try {
    if (state.video && (gone || id === null || id === state.video.id)) await stay(there, changes);
    else {
      set(changes);
      await open(gone || id === null ? listed()[0].id : id, there);
    }
  } finally {
    following -= 1;
  }
  entry = null;
  write();
  if (gone) notice(`There is no video “${id}” here.`);
}

/** In the video that is open.
 * @param {{time?: number, view?: Span}} there
 * @param {Partial<State>} changes
 */
async function stay({ time, view }, { tiou = state.tiou, ...changes }) {
  set(changes);
  if (view && view[0] < duration()) {
    const end = Math.min(view[1], duration());
    set({ view: spanAround((view[0] + end) / 2, end - view[0], duration()) });
  }
  if (time !== undefined) seek(time);
  if (tiou !== state.tiou) await judge({ tiou });
}

/** What the address asks for, checked: {id (null: nothing), and of tab, minScore, tiou, time, view what is given}.
 * @returns {Asked}
 */
function asked() {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (/** @type {string | null} */ text, /** @type {number} */ high) =>
    text && Number(text) >= 0 && Number(text) <= high ? Number(text) : undefined;
  const tab = (state.project.labelling ? [] : TABS).map((one) => one.id).find((one) => one === given.get("tab"));
  const perClass = given.get("score") === PER_CLASS ? state.project.min_scores : null;
  const minScore = perClass ?? number(given.get("score"), 1);
  const tiou = state.project.tiou.find((one) => one === number(given.get("tiou"), 1));
  const time = number(given.get("at"), LONGEST);
  const [from, to, ...more] =
    given
      .get("view")
      ?.split("-")
      .map((text) => number(text, LONGEST)) ?? [];
  const isSpan = from !== undefined && to !== undefined && from < to && more.length === 0;
  const valid = { tab, minScore, tiou, time, view: isSpan ? [from, to] : undefined };
  const found = Object.entries(valid).filter(([, value]) => value !== undefined);
  return { id: given.get("video"), ...Object.fromEntries(found) };
}
