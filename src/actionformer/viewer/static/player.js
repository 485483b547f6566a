// @ts-check
// Playing: the video where there is one, a clock where there is none. Both move `state.time`.

import { byId, choice, element, words } from "./elements.js";
import { clock } from "./format.js";
import { showVideo, whyNoPicture } from "./screen.js";
import { duration, on, set, state, thing } from "./state.js";

const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8];
const FPS_OF_NO_VIDEO = 25;
const LATE = 0.05; // seconds that the playhead may lie before what is looped
const INTO_FRAME = 1e-3; // seconds: at its very beginning some browsers still show the frame before

/** @type {VideoScreen | null} */
let screen = null; // what shows the video
let speed = 1; // that is chosen; J and L play at others
let muted = true;
let last = 0; // when the clock last moved, ms
/** @type {Record<string, any>} */
const parts = {};

export function startPlayer() {
  parts.screen = element("div", { id: "screen" });
  parts.play = element("button", { id: "play", click: togglePlay, "aria-label": "Play" }, "▶");
  parts.time = element("output", { id: "clock" }, clock(0));
  parts.length = element("span", { id: "length", class: "faint" });
  parts.rate = element("output", { id: "rate", "aria-label": "Playing at" });
  parts.speed = choice(
    SPEEDS.map((one) => [one, `${one}×`]),
    speed,
    (value) => choose(Number(value)),
    {
      id: "speed",
      "aria-label": "Speed",
    },
  );
  parts.mute = element("button", { class: "quiet", click: toggleSound, "aria-label": "Sound on or off" }, "Sound");
  byId("player").append(
    parts.screen,
    element(
      "div",
      { class: "bar", role: "group", "aria-label": "Playing" },
      element("button", { class: "quiet", click: () => stepFrames(-1), "aria-label": "One frame back" }, "‹"),
      parts.play,
      element("button", { class: "quiet", click: () => stepFrames(1), "aria-label": "One frame on" }, "›"),
      parts.time,
      parts.length,
      parts.rate,
      parts.speed,
      parts.mute,
    ),
  );
  on(["video"], load);
  on(["time"], () => (parts.time.textContent = clock(state.time)));
  on(["playing", "rate"], showPlaying);
  on(["video", "actions"], () => (parts.length.textContent = state.video ? `/ ${clock(duration())}` : ""));
}

/** @type {string | null} */
let loaded = null;

function load() {
  const { video } = state;
  if (loaded === video?.id) return; // another tIoU of the same video
  loaded = video?.id ?? null;
  screen?.close();
  screen = null;
  set({ playing: false });
  parts.mute.hidden = !video?.playable;
  if (!video) return parts.screen.replaceChildren();
  const why = whyNoPicture(video, state.project);
  if (why) return parts.screen.replaceChildren(words(`No picture: ${why}.`));
  screen = showVideo(parts.screen, video, duration(), () => state.playing && showPlaying());
  screen.media.muted = muted;
  screen.media.currentTime = state.time + INTO_FRAME;
  screen.media.addEventListener("click", togglePlay);
  screen.media.addEventListener("ended", atTheEnd);
}

/** A jump to the end says "ended" too, and late: by then the page may be playing backwards from there. */
function atTheEnd() {
  if (state.rate <= 0 || !screen) return;
  const span = looped();
  if (!span || !state.playing) return set({ playing: false, time: screen.media.currentTime });
  seek(span[0]);
  screen.media.play().catch(() => set({ playing: false }));
}

/** What is played over and over: what is chosen, while that is asked for.
 * @returns {Span | null}
 */
const looped = () => (state.looping && state.chosen ? (thing(state.chosen)?.segment ?? null) : null);

/** From the end of what is looped to its start. */
function goRound() {
  const span = looped();
  if (!span || media()?.seeking) return;
  if (state.rate > 0 ? state.time >= span[1] || state.time < span[0] - LATE : state.time <= span[0])
    seek(state.rate > 0 ? span[0] : span[1]);
}

/** The <video> while it shows something, else null.
 * @type {() => HTMLVideoElement | null}
 */
const media = () => (screen?.shows() ? screen.media : null);

/** Goes to a time, seconds.
 * @param {number} time
 */
export function seek(time) {
  const inside = Math.min(Math.max(time, 0), duration());
  if (screen) screen.media.currentTime = inside + INTO_FRAME;
  set({ time: inside });
}

/** @param {number} frames */
export function stepFrames(frames) {
  set({ playing: false });
  const fps = state.video?.fps ?? FPS_OF_NO_VIDEO;
  const start = state.video?.start ?? 0; // of the first picture
  seek(start + (Math.round((state.time - start) * fps) + frames) / fps);
}

export function togglePlay() {
  if (!state.video) return;
  if (!state.playing && state.time >= duration() - 0.05) seek(0);
  set({ playing: !state.playing, rate: speed });
}

function toggleSound() {
  muted = !muted;
  if (screen) screen.media.muted = muted;
  parts.mute.textContent = muted ? "Sound" : "Mute";
}

/** J and L: backwards and forwards, faster with every press; K stops.
 * @param {-1 | 0 | 1} direction
 */
export function shuttle(direction) {
  const same = state.playing && Math.sign(state.rate) === direction;
  const rate = direction === 0 ? speed : direction * (same ? Math.min(Math.abs(state.rate) * 2, 8) : 1);
  set({ playing: direction !== 0, rate });
}

/** @param {number} wanted */
function choose(wanted) {
  speed = wanted;
  set({ rate: speed });
}

function showPlaying() {
  parts.play.textContent = state.playing ? "❚❚" : "▶";
  parts.play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
  parts.rate.textContent = state.rate === speed ? "" : `${state.rate}×`.replace("-", "−");
  const shown = media();
  if (shown) {
    if (state.playing && state.rate > 0) {
      shown.playbackRate = state.rate;
      shown.play().catch(() => set({ playing: false }));
    } else if (!shown.paused) {
      shown.pause();
      set({ time: shown.currentTime }); // where it stopped, which may be later than the last frame of the page
    }
  }
  last = performance.now();
  goOn();
}

let awaited = 0; // the one frame that is asked for

function goOn() {
  cancelAnimationFrame(awaited);
  if (state.playing) awaited = requestAnimationFrame(tick);
}

/** @param {number} now */
function tick(now) {
  const passed = Math.max(now - last, 0) / 1000;
  last = now;
  const shown = media();
  if (shown && state.rate > 0) set({ time: shown.currentTime });
  else {
    seek(state.time + passed * state.rate);
    if (!looped() && (state.rate > 0 ? state.time >= duration() : state.time <= 0)) set({ playing: false });
  }
  goRound();
  goOn();
}
