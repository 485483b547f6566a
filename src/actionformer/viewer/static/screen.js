// @ts-check
// The picture of a video: a <video> with its source, or words where it cannot show anything.

import { videoAddress } from "./api.js";
import { element, loading, words } from "./elements.js";
import { feed, whyNoSegments } from "./media_source.js";

const PATIENCE = 300; // ms after which it is said that a picture is waited for

/** Why there is no picture of a video at all, null if there is one.
 * @param {Video} video
 * @param {Project} project
 */
export function whyNoPicture(video, project) {
  if (!video.playable) return video.why_not_playable ?? project.why_not?.videos ?? "there is no video file";
  const why = video.media_segments ? whyNoSegments(video.media_segments.type) : null;
  return why && `the video has to be encoded for this browser, but ${why}`;
}

/** Shows a video in an element; `longest` is how many seconds it can have at most.
 *
 * Gives back the <video>, whether it has a picture for the playhead, and a function that removes it.
 * `changed` is called when `shows()` becomes another.
 * @param {HTMLElement} place
 * @param {Video} video
 * @param {number} longest
 * @param {() => void} changed
 * @returns {VideoScreen}
 */
export function showVideo(place, video, longest, changed) {
  const media = element("video", { playsinline: true, preload: "auto", muted: true, tabindex: -1 });
  media.muted = true;
  let shown = false;
  let interrupted = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let patience;
  /** @type {HTMLElement | null} */
  let said = null;

  /** @param {HTMLElement | null} what */
  function say(what) {
    clearTimeout(patience);
    patience = undefined;
    said?.remove();
    said = what;
    if (what) place.append(what);
    media.style.visibility = what ? "hidden" : "visible";
  }

  /** @param {boolean} shows */
  function turn(shows) {
    if (shown === shows) return;
    shown = shows;
    changed();
  }

  /** @param {string | null} text */
  function interrupt(text) {
    interrupted = Boolean(text);
    say(text ? words(`${text} The timeline plays without it.`) : loading("The picture is being prepared…"));
    if (text) media.pause();
    turn(false);
  }

  function show() {
    if (interrupted || media.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    say(null);
    turn(true);
  }

  function wait() {
    patience ??= setTimeout(() => interrupted || say(loading("The picture is being prepared…")), PATIENCE);
  }

  const leaving = new AbortController();
  const listen = (/** @type {string} */ event, /** @type {() => void} */ react) =>
    media.addEventListener(event, react, { signal: leaving.signal });
  for (const event of ["loadeddata", "seeked", "playing", "canplay"]) listen(event, show);
  for (const event of ["seeking", "waiting"]) listen(event, wait);
  listen("error", () => interrupt("This video cannot be played by this browser."));
  place.replaceChildren(media);
  say(loading("The video is being opened…"));
  const stop = giveSource(media, video, longest, interrupt);

  function close() {
    clearTimeout(patience);
    leaving.abort();
    stop();
    media.removeAttribute("src");
    media.load(); // lets go of what it holds
    place.replaceChildren();
  }
  return { media, shows: () => shown, close };
}

/** A file, or segments; gives back what ends that.
 * @param {HTMLVideoElement} media
 * @param {Video} video
 * @param {number} longest
 * @param {(text: string | null) => void} interrupt
 * @returns {() => void}
 */
function giveSource(media, { id, media_segments: segments }, longest, interrupt) {
  if (!segments) {
    media.src = videoAddress(id, "media");
    return () => {};
  }
  const duration = Math.max(segments.duration ?? 0, longest);
  return feed(media, { ...segments, duration, address: (segment) => videoAddress(id, `media/${segment}`), interrupt });
}
