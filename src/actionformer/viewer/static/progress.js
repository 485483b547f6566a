// @ts-check
// What the list says of videos that are not open: how long they are, and how far others are with them.

import { Refused, get } from "./api.js";
import { learnClasses, unsaved } from "./session_saving.js";
import { state } from "./state.js";
import { countVideos, retell } from "./videos.js";

/** What all who label have saved: classes, and how far each video is. Of the open one the page itself knows. */
export async function learnProgress() {
  try {
    const { classes, videos } = await get("api/progress");
    for (const video of state.project.videos) {
      if (video.id === state.video?.id || unsaved.has(video.id)) continue;
      Object.assign(video, videos[video.id]);
      retell(video);
    }
    countVideos();
    learnClasses(classes);
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // said where something is saved
  }
}

/** Of all videos how long they are, or why they cannot be opened. */
export async function learnLengths() {
  try {
    const lengths = await get("api/lengths");
    for (const video of state.project.videos) {
      Object.assign(video, lengths[video.id]);
      retell(video);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // a server that has ended, which is said where something is saved
  }
}
