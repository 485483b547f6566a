// The picture of a video: a <video> with its source, or words where it cannot show anything.

import { videoAddress } from "./api.js";
import { element, loading, words } from "./elements.js";
import { feed, whyNoSegments } from "./media_source.js";

const PATIENCE = 300; // ms after which it is said that a picture is waited for

/** Why there is no picture of a video at all, null if there is one. */
export function whyNoPicture(video, project) {
  if (!video.playable) return video.why_not_playable ?? project.why_not?.videos ?? "there is no video file";
  const why = video.media_segments ? whyNoSegments(video.media_segments.type) : null;
  return why && `the video has to be encoded for this browser, but ${why}`;
}

/**
 * Shows a video in an element; `longest` is how many seconds it can have at most.
 *
 * Gives back {media, shows, close}: the <video>, whether it has a picture for the playhead, and a function that removes it.
 * `changed` is called when `shows()` becomes another.
 */
export function showVideo(place, video, longest, changed) {
  const media = element("video", { playsinline: true, preload: "auto", muted: true, tabindex: -1 });
  media.muted = true;
  let shown = false;
  let interrupted = false;
  let patience = null;
  let said = null;

  function say(what) {
    clearTimeout(patience);
    patience = null;
    said?.remove();
    said = what;
    if (what) place.append(what);
    media.style.visibility = what ? "hidden" : "visible";
  }

  function turn(shows) {
    if (shown === shows) return;
    shown = shows;
    changed();
  }

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
  const listen = (event, react) => media.addEventListener(event, react, { signal: leaving.signal });
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

/** A file, or segments; gives back what ends that. */
function giveSource(media, { id, media_segments: segments }, longest, interrupt) {
  if (!segments) {
    media.src = videoAddress(id, "media");
    return () => {};
  }
  const duration = Math.max(segments.duration ?? 0, longest);
  return feed(media, { ...segments, duration, address: (segment) => videoAddress(id, `media/${segment}`), interrupt });
}
