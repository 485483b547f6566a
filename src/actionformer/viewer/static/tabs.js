// @ts-check
// The views, and what of the page each shows.

import { byId, element } from "./elements.js";
import { on, set, state } from "./state.js";

export const TABS = [
  { id: "timeline", name: "Timeline" },
  { id: "scores", name: "Scores" },
  { id: "suppression", name: "Candidates" },
  { id: "moment", name: "Moment" },
  { id: "run", name: "Run" },
];

export function startTabs() {
  byId("tabs").append(
    ...TABS.map(({ id, name }) =>
      element(
        "button",
        { role: "tab", id: `tab-${id}`, "aria-controls": id === "timeline" ? "video-view" : id, click: () => goTo(id) },
        name,
      ),
    ),
  );
  byId("tabs").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const direction = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!direction) return;
    event.stopPropagation();
    const here = TABS.findIndex(({ id }) => id === state.tab);
    goTo(TABS[(here + direction + TABS.length) % TABS.length].id);
    byId(`tab-${state.tab}`).focus();
  });
  on(["tab"], show);
  show();
}

/** @type {(tab: string) => void} */
export const goTo = (tab) => set({ tab });

function show() {
  document.body.dataset.tab = state.tab;
  for (const { id, name } of TABS) {
    const chosen = id === state.tab;
    byId(`tab-${id}`).setAttribute("aria-selected", String(chosen));
    byId(`tab-${id}`).tabIndex = chosen ? 0 : -1;
    if (chosen) byId(`tab-${id}`).scrollIntoView({ block: "nearest", inline: "nearest" });
    if (id === "timeline") continue;
    byId(id).hidden = !chosen;
    byId(id).setAttribute("aria-label", name);
  }
  byId("video-view").hidden = state.tab === "run";
}
