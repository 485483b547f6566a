// Playing: the video where there is one, a clock where there is none. Both move `state.time`.

import { videoAddress } from "./api.js";
import { byId, element, loading, words } from "./elements.js";
import { feed, whyNoPieces } from "./film.js";
import { clock } from "./format.js";
import { duration, on, set, state } from "./state.js";

const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8];
const FPS_OF_NO_VIDEO = 25;
const INTO_FRAME = 1e-3; // seconds: at its very beginning some browsers still show the frame before

const PATIENCE = 300; // ms after which it is said that a picture is waited for

let film = null; // the <video>, while it can show something
let opened = null; // the <video>, whether it can or not
let said = null; // what is said in place of a picture
let close = () => {}; // ends what belongs to `opened`
let last = 0; // when the clock last moved, ms
const parts = {};

export function startPlayer() {
  parts.screen = element("div", { id: "screen" });
  parts.play = element("button", { id: "play", click: togglePlay, "aria-label": "Play" }, "▶");
  parts.time = element("output", { id: "clock" }, clock(0));
  parts.speed = element(
    "select",
    { id: "speed", "aria-label": "Speed", change: () => setRate(Number(parts.speed.value)) },
    SPEEDS.map((speed) => element("option", { value: speed, selected: speed === 1 }, `${speed}×`)),
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
      parts.speed,
      parts.mute,
    ),
  );
  on(["video"], load);
  on(["time"], () => (parts.time.textContent = clock(state.time)));
  on(["playing"], showPlaying);
}

let loaded = null;

function load() {
  const { video } = state;
  if (loaded === video?.id) return; // another tIoU of the same video
  loaded = video?.id ?? null;
  close();
  film = opened = said = null;
  close = () => {};
  set({ playing: false });
  parts.screen.replaceChildren();
  parts.mute.hidden = !video?.playable;
  if (!video) return;
  const why = whyNoFilm(video);
  if (why) say(words(`No picture: ${why}.`));
  else showFilm(video);
}

function whyNoFilm(video) {
  if (!video.playable) return video.why_not_playable ?? state.project.why_not?.videos ?? "there is no video file";
  const why = video.pieces && whyNoPieces(video.pieces.type);
  return why && `the video has to be encoded for this browser, but ${why}`;
}

/** Says something in place of the picture; null shows the picture again. */
function say(what) {
  said?.remove();
  said = what;
  if (what) parts.screen.append(what);
  if (opened) opened.style.visibility = what ? "hidden" : "visible";
}

function showFilm(video) {
  const mine = (opened = element("video", { playsinline: true, preload: "auto", muted: true, tabindex: -1 }));
  const leaving = new AbortController();
  const listen = (event, react) => mine.addEventListener(event, react, { signal: leaving.signal });
  let interrupted = false;
  let patience = null;

  const wait = (text) => {
    if (!interrupted) say(loading(text));
  };
  const show = () => {
    clearTimeout(patience);
    patience = null;
    if (interrupted || mine.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    say(null);
    if (film) return;
    film = mine;
    if (state.playing) showPlaying();
  };
  const beSlow = () => (patience ??= setTimeout(wait, PATIENCE, "The picture is being prepared…"));
  const interrupt = (text) => {
    clearTimeout(patience);
    patience = null;
    interrupted = Boolean(text);
    film = null;
    if (text) say(words(`${text} The timeline plays without it.`));
    else wait("The picture is being prepared…");
  };

  mine.muted = true;
  mine.currentTime = state.time + INTO_FRAME;
  for (const event of ["loadeddata", "seeked", "playing", "canplay"]) listen(event, show);
  for (const event of ["seeking", "waiting"]) listen(event, beSlow);
  listen("error", () => interrupt("This video cannot be played by this browser."));
  listen("click", togglePlay);
  listen("ended", () => set({ playing: false }));
  parts.screen.append(mine);
  wait("The video is being opened…");
  const stop = giveFilm(mine, video, interrupt);
  close = () => {
    clearTimeout(patience);
    leaving.abort();
    stop();
    mine.removeAttribute("src");
    mine.load(); // lets go of what it holds
  };
}

/** Gives a <video> its source, a file or pieces; returns what ends that. */
function giveFilm(element, video, interrupt) {
  if (!video.pieces) {
    element.src = videoAddress(video.id, "media");
    return () => {};
  }
  const { type, seconds } = video.pieces;
  const longest = Math.max(video.pieces.duration ?? 0, duration());
  const address = (piece) => videoAddress(video.id, `media/${piece}`);
  return feed(element, { type, seconds, duration: longest, address, interrupt });
}

/** Goes to a time, seconds. */
export function seek(time) {
  const inside = Math.min(Math.max(time, 0), duration());
  if (opened) opened.currentTime = inside + INTO_FRAME;
  set({ time: inside });
}

export function stepFrames(frames) {
  set({ playing: false });
  const fps = state.video?.fps ?? FPS_OF_NO_VIDEO;
  seek((Math.round(state.time * fps) + frames) / fps);
}

export function togglePlay() {
  if (!state.video) return;
  if (!state.playing && state.rate > 0 && state.time >= duration() - 0.05) seek(0);
  set({ playing: !state.playing });
}

function toggleSound() {
  if (!opened) return;
  opened.muted = !opened.muted;
  parts.mute.textContent = opened.muted ? "Sound" : "Mute";
}

/** J and L: backwards and forwards, faster with every press; K stops. */
export function shuttle(direction) {
  if (direction === 0) return set({ playing: false });
  const same = state.playing && Math.sign(state.rate) === direction;
  const speed = same ? Math.min(Math.abs(state.rate) * 2, 8) : 1;
  setRate(direction * speed);
  set({ playing: true });
}

function setRate(rate) {
  set({ rate });
  parts.speed.value = SPEEDS.includes(Math.abs(rate)) ? Math.abs(rate) : 1;
  if (state.playing) showPlaying();
}

function showPlaying() {
  parts.play.textContent = state.playing ? "❚❚" : "▶";
  parts.play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
  if (film) {
    if (state.playing && state.rate > 0) {
      film.playbackRate = state.rate;
      film.play().catch(() => set({ playing: false }));
    } else if (!film.paused) {
      film.pause();
      set({ time: film.currentTime }); // where it stopped, which may be later than the last frame of the page
    }
  }
  last = performance.now();
  if (state.playing) requestAnimationFrame(tick);
}

let ticking = 0;

function tick(now) {
  if (!state.playing || ticking === now) return;
  ticking = now; // of two loops that were begun in one frame only one goes on
  const passed = Math.max(now - last, 0) / 1000;
  last = now;
  if (film && state.rate > 0) set({ time: film.currentTime });
  else {
    seek(state.time + passed * state.rate);
    if (state.time <= 0 || state.time >= duration()) set({ playing: false });
  }
  if (state.playing) requestAnimationFrame(tick);
}
