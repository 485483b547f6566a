// The picture of a video: a <video> with its source, or words where it cannot show anything.

import { videoAddress } from "./api.js";
import { element, loading, words } from "./elements.js";
import { feed, whyNoPieces } from "./film.js";

const PATIENCE = 300; // ms after which it is said that a picture is waited for

/** Why there is no picture of a video at all, null if there is one. */
export function whyNoPicture(video, project) {
  if (!video.playable) return video.why_not_playable ?? project.why_not?.videos ?? "there is no video file";
  const why = video.pieces ? whyNoPieces(video.pieces.type) : null;
  return why && `the video has to be encoded for this browser, but ${why}`;
}

/**
 * Shows a video in an element; `longest` is how many seconds it can have at most.
 *
 * Gives back {film, shows, close}: the <video>, whether it has a picture for the playhead, and a function that removes it.
 * `changed` is called when `shows()` becomes another.
 */
export function showVideo(place, video, longest, changed) {
  const film = element("video", { playsinline: true, preload: "auto", muted: true, tabindex: -1 });
  film.muted = true;
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
    film.style.visibility = what ? "hidden" : "visible";
  }

  function turn(shows) {
    if (shown === shows) return;
    shown = shows;
    changed();
  }

  function interrupt(text) {
    interrupted = Boolean(text);
    say(text ? words(`${text} The timeline plays without it.`) : loading("The picture is being prepared…"));
    if (text) film.pause();
    turn(false);
  }

  function show() {
    if (interrupted || film.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    say(null);
    turn(true);
  }

  function wait() {
    patience ??= setTimeout(() => interrupted || say(loading("The picture is being prepared…")), PATIENCE);
  }

  const leaving = new AbortController();
  const listen = (event, react) => film.addEventListener(event, react, { signal: leaving.signal });
  for (const event of ["loadeddata", "seeked", "playing", "canplay"]) listen(event, show);
  for (const event of ["seeking", "waiting"]) listen(event, wait);
  listen("error", () => interrupt("This video cannot be played by this browser."));
  place.replaceChildren(film);
  say(loading("The video is being opened…"));
  const stop = giveSource(film, video, longest, interrupt);

  function close() {
    clearTimeout(patience);
    leaving.abort();
    stop();
    film.removeAttribute("src");
    film.load(); // lets go of what it holds
    place.replaceChildren();
  }
  return { film, shows: () => shown, close };
}

/** A file, or pieces; gives back what ends that. */
function giveSource(film, { id, pieces }, longest, interrupt) {
  if (!pieces) {
    film.src = videoAddress(id, "media");
    return () => {};
  }
  const duration = Math.max(pieces.duration ?? 0, longest);
  return feed(film, { ...pieces, duration, address: (piece) => videoAddress(id, `media/${piece}`), interrupt });
}
