// A video that the server encodes in pieces: those around the playhead are fetched and handed to the browser's MediaSource.

import { bytes } from "./api.js";

const WANTED = [0, 1, 2, 3, -1]; // pieces, counted from the one at the playhead, in the order in which they are fetched
const BEHIND = 6; // pieces before the playhead that are kept
const SLACK = 0.01; // seconds: less than a frame, more than what times are rounded by
const STALL = 0.5; // seconds before the end of what it has from which a browser may stall

/** Why this browser cannot play pieces of a type, null if it can. */
export function whyNoPieces(type) {
  if (!kindOfSource()) return "it has no MediaSource";
  return kindOfSource().isTypeSupported(type) ? null : `it does not play ${type}`;
}

const kindOfSource = () => window.MediaSource ?? window.ManagedMediaSource;

/**
 * Feeds a <video> with pieces and gives back a function that ends this.
 *
 * A piece lasts `seconds` and is of `type`, `address(n)` is where the n-th is; all together last `duration` seconds at most.
 * `interrupt(words)` is called where the playhead comes to a piece that cannot be shown, `interrupt(null)` where it leaves it.
 */
export function feed(film, { type, seconds, duration, address, interrupt }) {
  const source = new (kindOfSource())();
  const last = Math.max(Math.ceil((duration - SLACK) / seconds) - 1, 0);
  const failed = new Map(); // piece -> error
  let buffer = null;
  let working = false;
  let fetching = null; // {piece, controller}
  let words = null;

  const here = () => Math.min(Math.floor((film.currentTime + SLACK) / seconds), last);
  const has = (piece) => endOf(film.buffered, piece * seconds + SLACK) !== null;
  const wanted = () => WANTED.map((step) => here() + step).filter((piece) => 0 <= piece && piece <= last);
  const missing = () => wanted().find((piece) => !has(piece) && !failed.has(piece));

  async function work() {
    if (working) return;
    working = true;
    for (let piece = missing(); buffer && piece !== undefined; piece = missing()) {
      await take(piece);
      tell();
    }
    working = false;
  }

  async function take(piece) {
    const controller = new AbortController();
    fetching = { piece, controller };
    try {
      const content = await bytes(address(piece), controller.signal);
      await makeRoom();
      buffer.timestampOffset = piece * seconds;
      await changed(() => buffer.appendBuffer(content));
      if (!has(piece)) throw new Error(`This browser cannot show what was encoded from ${piece * seconds} s on.`);
      if (has(last) && source.readyState === "open") source.endOfStream();
    } catch (error) {
      if (error.name !== "AbortError") failed.set(piece, error);
    }
    fetching = null;
  }

  /** Only what is near the playhead stays. */
  async function makeRoom() {
    const [begin, end] = [here() - BEHIND, here() + WANTED.length].map((piece) => piece * seconds);
    if (begin > 0 && overlaps(film.buffered, 0, begin)) await changed(() => buffer.remove(0, begin));
    if (overlaps(film.buffered, end, Infinity)) await changed(() => buffer.remove(end, Infinity));
  }

  function changed(change) {
    const done = new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
    change();
    return done;
  }

  /** Why nothing can be shown at the playhead: its piece failed, or is over and the next one failed. */
  function trouble() {
    const piece = here();
    if (failed.has(piece) || !failed.has(piece + 1)) return failed.get(piece);
    const end = endOf(film.buffered, piece * seconds + SLACK);
    const stalled = !film.paused && !film.seeking && film.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const over = film.currentTime > end - (stalled || words ? STALL : 0);
    return end !== null && over ? failed.get(piece + 1) : null;
  }

  function tell() {
    if (!buffer) return; // not yet open, or closed
    const now = trouble()?.message ?? null;
    if (now !== words) interrupt((words = now));
  }

  function move() {
    if (fetching && !wanted().includes(fetching.piece)) fetching.controller.abort();
    tell();
    work();
  }

  const listening = new AbortController();
  const listen = (target, event, react) => target.addEventListener(event, react, { signal: listening.signal });
  listen(source, "sourceopen", () => {
    if (buffer) return; // it was ended and goes on
    URL.revokeObjectURL(film.src);
    source.duration = duration;
    buffer = source.addSourceBuffer(type);
    work();
  });
  listen(film, "seeking", move);
  listen(film, "waiting", tell);
  listen(film, "timeupdate", work);
  film.disableRemotePlayback = true; // else a ManagedMediaSource does not open
  film.src = URL.createObjectURL(source);
  return () => {
    listening.abort();
    fetching?.controller.abort();
    buffer = null;
  };
}

/** Where the span of TimeRanges that a time lies in ends, null if there is none. */
function endOf(ranges, time) {
  for (let i = 0; i < ranges.length; i += 1) if (ranges.start(i) <= time && time < ranges.end(i)) return ranges.end(i);
  return null;
}

/** Whether TimeRanges have something between two times. */
function overlaps(ranges, begin, end) {
  for (let i = 0; i < ranges.length; i += 1) if (ranges.start(i) < end && begin < ranges.end(i)) return true;
  return false;
}
