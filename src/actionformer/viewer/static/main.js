// @ts-check
// The page begins here: every part is started, then the project is asked for and its first video opened.

import { get, savedAt } from "./api.js";
import { startToolbar } from "./corrections_toolbar.js";
import { byId, loading, notice, words } from "./elements.js";
import { startFilters } from "./filters.js";
import { startInspector } from "./inspector.js";
import { startKeys } from "./keys.js";
import { startLabelling } from "./labelling.js";
import { startLevels } from "./levels.js";
import { startMoment } from "./moment.js";
import { follow, namesVideo, startRouter } from "./router.js";
import { startPlayer } from "./player.js";
import { learnLengths } from "./progress.js";
import { startRun } from "./run.js";
import { startScores } from "./scores.js";
import { startSession } from "./session.js";
import { set, state } from "./state.js";
import { startSuppression } from "./suppression.js";
import { startTabs } from "./tabs.js";
import { startTheme } from "./theme.js";
import { startTimeline } from "./timeline.js";
import { openFirstToLabel, startVideos } from "./videos.js";

for (const start of [
  startTheme,
  startTabs,
  startVideos,
  startFilters,
  startTimeline,
  startPlayer,
  startInspector,
  startLevels,
  startSession,
  startToolbar,
  startLabelling,
  startScores,
  startSuppression,
  startMoment,
  startRun,
  startKeys,
  startRouter,
])
  start();

async function begin() {
  const wait = loading("The run is being read…");
  byId("panel").prepend(wait);
  try {
    const project = await get("api/project");
    document.title = byId("title").textContent = project.title;
    if (savedAt) byId("title").textContent += ` · saved ${savedAt.slice(0, 10)}`;
    const tiou = project.tiou.includes(0.5) ? 0.5 : project.tiou[0];
    set({ project, tiou, minScore: project.draft_score ?? project.min_scores ?? state.minScore });
    const judged = judgeAll();
    const open = () => openFirst(wait);
    if (project.labelling) learnLengths();
    await Promise.all([judged, namesVideo() ? open() : judged.then(open)]); // by itself the worst is opened
  } catch (error) {
    notice(error instanceof Error ? error.message : String(error));
  } finally {
    wait.remove();
  }
}

async function judgeAll() {
  set({ precision: await get("api/precision") });
}

/** @param {HTMLElement} wait what stands in place of a video until then */
async function openFirst(wait) {
  wait.remove();
  if (!state.project.videos.length)
    byId("video-view").replaceChildren(words("There are no videos in these detections."));
  else {
    if (state.project.labelling && !namesVideo()) await openFirstToLabel();
    await follow();
  }
  if (state.video) performance.mark("interactive");
}

begin();
