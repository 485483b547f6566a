// @ts-check
// The source of a video that the server encodes in segments: those around the playhead are fetched and handed to the
// browser's MediaSource.

import { bytes } from "./api.js";

const WANTED = [0, 1, 2, 3, -1]; // segments from the playhead's on, in the order in which they are fetched
const BEHIND = 6; // segments before the playhead that are kept
const SLACK = 0.01; // seconds: less than a frame, more than what times are rounded by
const STALL = 0.5; // seconds before the end of what it has from which a browser may stall

/** Why this browser cannot play segments of a type, null if it can.
 * @param {string} type
 */
export function whyNoSegments(type) {
  if (!kindOfSource()) return "it has no MediaSource";
  return kindOfSource().isTypeSupported(type) ? null : `it does not play ${type}`;
}

/** @type {() => typeof MediaSource} */
const kindOfSource = () => window.MediaSource ?? window.ManagedMediaSource;

/** Feeds a <video> with segments and gives back a function that ends this.
 *
 * A segment lasts `seconds` and is of `type`, `address(n)` is where the n-th is; all together last `duration` seconds at most.
 * `interrupt(words)` is called where the playhead comes to a segment that cannot be shown, `interrupt(null)` where it leaves it.
 * @param {HTMLVideoElement} media
 * @param {Feed} options
 */
export function feed(media, { type, seconds, duration, address, interrupt }) {
  const source = new (kindOfSource())();
  const last = Math.max(Math.ceil((duration - SLACK) / seconds) - 1, 0);
  /** @type {Map<number, Error>} */
  const failed = new Map(); // segment -> error
  /** @type {SourceBuffer | null} */
  let buffer = null;
  let working = false;
  /** @type {{segment: number, controller: AbortController} | null} */
  let fetching = null; // {segment, controller}
  /** @type {string | null} */
  let words = null;

  const here = () => Math.min(Math.floor((media.currentTime + SLACK) / seconds), last);
  const has = (/** @type {number} */ segment) => endOf(media.buffered, segment * seconds + SLACK) !== null;
  const wanted = () => WANTED.map((step) => here() + step).filter((segment) => 0 <= segment && segment <= last);
  const missing = () => wanted().find((segment) => !has(segment) && !failed.has(segment));

  async function work() {
    if (working) return;
    working = true;
    for (let segment = missing(); buffer && segment !== undefined; segment = missing()) {
      await take(segment, buffer);
      tell();
    }
    working = false;
  }

  /**
   * @param {number} segment
   * @param {SourceBuffer} buffer
   */
  async function take(segment, buffer) {
    const controller = new AbortController();
    fetching = { segment, controller };
    try {
      const content = await bytes(address(segment), controller.signal);
      await makeRoom(buffer);
      buffer.timestampOffset = segment * seconds;
      await changed(buffer, () => buffer.appendBuffer(content));
      if (!has(segment)) throw new Error(`This browser cannot show what was encoded from ${segment * seconds} s on.`);
      if (has(last) && source.readyState === "open") source.endOfStream();
    } catch (error) {
      if (error instanceof Error && error.name !== "AbortError") failed.set(segment, error);
    }
    fetching = null;
  }

  /** Only what is near the playhead stays.
   * @param {SourceBuffer} buffer
   */
  async function makeRoom(buffer) {
    const [begin, end] = [here() - BEHIND, here() + WANTED.length].map((segment) => segment * seconds);
    if (begin > 0 && overlaps(media.buffered, 0, begin)) await changed(buffer, () => buffer.remove(0, begin));
    if (overlaps(media.buffered, end, Infinity)) await changed(buffer, () => buffer.remove(end, Infinity));
  }

  /**
   * @param {SourceBuffer} buffer
   * @param {() => void} change
   */
  function changed(buffer, change) {
    const done = new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
    change();
    return done;
  }

  /** Why nothing can be shown at the playhead: its segment failed, or is over and the next one failed. */
  function trouble() {
    const segment = here();
    if (failed.has(segment) || !failed.has(segment + 1)) return failed.get(segment);
    const end = endOf(media.buffered, segment * seconds + SLACK);
    const stalled = !media.paused && !media.seeking && media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const over = end !== null && media.currentTime > end - (stalled || words ? STALL : 0);
    return over ? failed.get(segment + 1) : null;
  }

  function tell() {
    if (!buffer) return; // not yet open, or closed
    const now = trouble()?.message ?? null;
    if (now !== words) interrupt((words = now));
  }

  function move() {
    if (fetching && !wanted().includes(fetching.segment)) fetching.controller.abort();
    tell();
    work();
  }

  const listening = new AbortController();
  const listen = (/** @type {EventTarget} */ target, /** @type {string} */ event, /** @type {() => void} */ react) =>
    target.addEventListener(event, react, { signal: listening.signal });
  listen(source, "sourceopen", () => {
    if (buffer) return; // it was ended and goes on
    URL.revokeObjectURL(media.src);
    source.duration = duration;
    buffer = source.addSourceBuffer(type);
    work();
  });
  listen(media, "seeking", move);
  listen(media, "waiting", tell);
  listen(media, "timeupdate", work);
  media.disableRemotePlayback = true; // else a ManagedMediaSource does not open
  media.src = URL.createObjectURL(source);
  return () => {
    listening.abort();
    fetching?.controller.abort();
    buffer = null;
  };
}

/** Where the span of TimeRanges that a time lies in ends, null if there is none.
 * @param {TimeRanges} ranges
 * @param {number} time
 */
function endOf(ranges, time) {
  for (let i = 0; i < ranges.length; i += 1) if (ranges.start(i) <= time && time < ranges.end(i)) return ranges.end(i);
  return null;
}

/** Whether TimeRanges have something between two times.
 * @param {TimeRanges} ranges
 * @param {number} begin
 * @param {number} end
 */
function overlaps(ranges, begin, end) {
  for (let i = 0; i < ranges.length; i += 1) if (ranges.start(i) < end && begin < ranges.end(i)) return true;
  return false;
}
