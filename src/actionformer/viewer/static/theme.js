// @ts-check
// Dark or light: what the system prefers, until someone chooses.

import { byId } from "./elements.js";
import { set, state } from "./state.js";

const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {"light" | "dark"} theme */
function apply(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", theme === "dark" ? "Switch to light colours" : "Switch to dark colours");
  set({ theme });
}

export function toggleTheme() {
  const theme = state.theme === "dark" ? "light" : "dark";
  remember(theme);
  apply(theme);
}

/** @param {"light" | "dark"} theme */
function remember(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // a page from disk may have no storage; then the choice lasts as long as the page
  }
}

/** @returns {State["theme"] | null} */
function remembered() {
  try {
    const theme = localStorage.getItem("theme");
    return theme === "dark" || theme === "light" ? theme : null;
  } catch {
    return null;
  }
}

export function startTheme() {
  const preferred = () => (system.matches ? "dark" : "light");
  apply(remembered() ?? preferred());
  system.addEventListener("change", () => remembered() || apply(preferred()));
  byId("theme").addEventListener("click", toggleTheme);
}
