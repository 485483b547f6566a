// The address keeps what is looked at, so that a link shows someone else the same.

import { on, set, state } from "./state.js";

export function startPlace() {
  on(["video", "tab", "playing", "chosen", "minScore", "tiou"], write);
  addEventListener("hashchange", () => {
    const tab = new URLSearchParams(location.hash.slice(1)).get("tab");
    if (tab) set({ tab });
  });
}

function write() {
  if (!state.video) return;
  const place = {
    video: state.video.id,
    tab: state.tab,
    at: state.time.toFixed(2),
    score: state.minScore,
    tiou: state.tiou,
  };
  history.replaceState(null, "", `#${new URLSearchParams(place)}`);
}

/** What the address asks for: {id, set, start}; what is not there or not valid stays as it is. */
export function readPlace(project) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const number = (name, low, high) => {
    const value = asked.has(name) ? Number(asked.get(name)) : NaN;
    return value >= low && value <= high ? value : null;
  };
  const changes = {};
  if (["timeline", "scores", "suppression", "moment", "run"].includes(asked.get("tab"))) changes.tab = asked.get("tab");
  if (number("score", 0, 1) !== null) changes.minScore = number("score", 0, 1);
  if (project.tiou.includes(number("tiou", 0, 1))) changes.tiou = number("tiou", 0, 1);
  const time = number("at", 0, 1e7);
  return { id: asked.get("video"), set: changes, start: time === null ? {} : { time } };
}
