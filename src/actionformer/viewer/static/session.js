// @ts-check
// What is edited of the open video: changed, undone, and saved as it changes.

import { Refused } from "./api.js";
import { notice, speak } from "./elements.js";
import { learnProgress } from "./progress.js";
import { begin, catchUp, isOutdated, isSaved, save, unsaved } from "./session_saving.js";
import { NOT_YET, on, set, state } from "./state.js";
import { judge } from "./videos.js";

const RETRY = 5000; // milliseconds after which what could not be saved is tried again
const WAIT = 400; // milliseconds after a change until it is saved, with all that followed

const CORRECTING = "Correcting. N adds an action, Delete removes the chosen one, Control Z undoes.";
const LABELLING = "Labelling. The number of a class begins an action and ends it. Question mark lists all keys.";

/** What is edited.
 * @type {Session}
 */
export let session = NOT_YET;
let timer = 0;

export function startSession() {
  on(["video"], followVideo);
  addEventListener("focus", lookAgain);
  setInterval(tryAgain, RETRY);
  addEventListener("beforeunload", (event) => {
    if (unsaved.size || (session && !isSaved(session))) event.preventDefault();
  });
}

/** Another video ends editing; the same one, opened again, is still edited. Where videos are labelled, the next is. */
function followVideo() {
  if (session && state.video?.id === session.id) return set(session.now);
  const left = session;
  session = NOT_YET;
  set({ editing: false, decided: [], done: false });
  if (left) leave(left);
  if (state.video && state.project.labelling) beginEditing();
}

/** Saves what was left, and asks what others have done; what cannot be saved is kept until someone comes back to it.
 * @param {Session} one
 */
async function leave(one) {
  if (!isSaved(one)) await saveLeft(one);
  if (state.project.labelling) await learnProgress();
}

/** Who comes back to the page sees what was done elsewhere meanwhile. */
async function lookAgain() {
  if (!state.project?.labelling) return;
  learnProgress();
  const one = session;
  if (!one || !(await isOutdated(one)) || session !== one) return;
  await loadTheirs();
  if (!session) return;
  session.said = "Changed elsewhere: this is what is saved now.";
  tell();
}

/** @param {Session} one */
async function saveLeft(one) {
  unsaved.set(one.id, one);
  await saveNow(one);
  if (session === one || isSaved(one)) return;
  const what = state.project.labelling ? "labels" : "corrections";
  const why = one.said.endsWith(".") ? one.said : `${one.said}.`;
  notice(`The ${what} of ${one.id} are kept on this page only. ${why} To go on, open that video again.`);
}

/** The server may be there again, or the disk have room. */
async function tryAgain() {
  for (const one of [session, ...unsaved.values()]) {
    if (!one || isSaved(one) || one.conflict || one.saving || timer) continue;
    await saveNow(one);
    if (one !== session && isSaved(one)) notice(`What was changed in ${one.id} is saved now.`);
  }
}

/** @param {Session} one */
async function saveNow(one) {
  clearTimeout(timer);
  timer = 0;
  await save(one, tell);
}

/** Saves what is edited, if it is not. */
export const settle = async () => session && saveNow(session);

function tell() {
  if (session) set({ saving: { said: session.said, conflict: session.conflict } });
}

export async function toggleEditing() {
  if (!state.video) return;
  if (state.editing) return end();
  if (!state.project.has.corrections) return notice(whyNot());
  await beginEditing();
}

async function beginEditing() {
  const { id } = state.video;
  try {
    const begun = unsaved.get(id) ?? (await begin(id));
    if (state.video.id !== id || session) return;
    session = begun;
    unsaved.delete(id);
    notice(null);
    set({ editing: true, ...session.now, chosen: null });
    tell();
    if (!isSaved(session)) saveNow(session);
    speak(state.project.labelling ? LABELLING : CORRECTING);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (state.video.id === id) notice(error.message);
  }
}

async function end() {
  const ending = session;
  await saveNow(ending);
  if (!isSaved(ending) || session !== ending) return; // it could not be saved: nothing is thrown away
  session = NOT_YET;
  set({ editing: false, chosen: null });
  await judge({ corrected: ending.revision > 0 });
}

/** Begins again from what is saved; what was changed here since is let go. */
export async function loadTheirs() {
  session = NOT_YET;
  set({ editing: false });
  await beginEditing();
}

/** Saves what is here over what someone else saved. */
export async function keepMine() {
  const one = session;
  await catchUp(one);
  await saveNow(one);
}

export const whyNot = () =>
  state.project.why_not?.corrections ?? "Corrections need annotations: start with --annotations FILE.";

/** Changes what is edited, remembering what it was; `chosen` is what is chosen from now on.
 * @param {Partial<Edited>} changes
 * @param {Thing | null} chosen
 * @param {string} words
 */
export function change(changes, chosen, words) {
  session.past.push(session.now);
  session.future = [];
  put({ ...session.now, ...changes }, chosen);
  speak(words);
}

/**
 * @param {Edited} now
 * @param {Thing | null} chosen
 */
function put(now, chosen) {
  session.now = now;
  if (!session.conflict) session.said = "Not saved yet.";
  set({ ...now, chosen });
  timer ||= setTimeout(() => session && saveNow(session), WAIT);
  tell();
}

export function undo() {
  const before = session?.past.pop();
  if (!before) return;
  session.future.push(session.now);
  put(before, null);
  speak("Undone");
}

export function redo() {
  const after = session?.future.pop();
  if (!after) return;
  session.past.push(session.now);
  put(after, null);
  speak("Redone");
}
