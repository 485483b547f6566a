// @ts-check
// The pyramid level of every detection. Files of detections do not hold it: it is computed when one is first looked at.

import { Refused, get, videoAddress } from "./api.js";
import { on, set, state } from "./state.js";

/** @type {Map<string, Promise<(number | null)[] | null>>} */
const known = new Map(); // id of a video -> promise of its levels, or of null where nobody can tell

export function startLevels() {
  on(["chosen", "video"], fill);
}

async function fill() {
  const { video, chosen, project } = state;
  if (chosen?.type !== "detection" || video.detections[chosen.index].level !== null) return;
  if (!project.has.run || !project.has.features) return;
  if (!known.has(video.id)) known.set(video.id, ask(video.id));
  const levels = await known.get(video.id);
  if (!levels || state.video !== video) return;
  levels.forEach((level, index) => (video.detections[index].level = level));
  set({ levels: [...levels] });
}

/** @param {string} id */
async function ask(id) {
  try {
    return (await get(videoAddress(id, "levels"))).levels;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null; // the rest of what is known of a detection is shown without
  }
}
