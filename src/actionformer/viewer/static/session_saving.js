// @ts-check
// What is edited, between the page and the server: begun from what is saved, and saved one after the other.

import { Refused, escapedId, get, send } from "./api.js";
import { set, state } from "./state.js";

/** Id of a video that was left -> what was edited of it, while that could not be saved.
 * @type {Map<string, Session>}
 */
export const unsaved = new Map();

/** @type {(id: string) => string} */
const address = (id) => `api/${state.project.labelling ? "labels" : "corrections"}/${escapedId(id)}`;
/** @type {(one: Session) => boolean} */
export const isSaved = (one) => one.now === one.saved;

/** Begins to edit a video, from what is saved.
 * @param {string} id
 * @returns {Promise<Session>}
 */
export async function begin(id) {
  const { actions, decided = [], done = false, revision, file, classes } = await get(address(id));
  learnClasses(classes);
  const now = { actions, decided, done };
  const said = `Changes go to ${file}`;
  return { id, file, revision, now, saved: now, past: [], future: [], saving: null, conflict: false, said };
}

/** Classes that were added or renamed elsewhere; where annotations are corrected, none are told.
 * @param {string[] | undefined} classes
 */
export function learnClasses(classes) {
  const known = state.project.classes;
  if (!classes || (classes.length === known.length && classes.every((name, i) => name === known[i]))) return;
  set({ project: { ...state.project, classes } });
}

/** Saves all that is to be saved, also what is changed meanwhile; one after the other, as each needs the revision of
 * the one before.
 * @param {Session} one
 * @param {() => void} told called when what is said of it may have changed
 */
export async function save(one, told) {
  one.saving ??= saveAll(one, told).finally(() => {
    one.saving = null;
    told();
  });
  await one.saving;
}

/**
 * @param {Session} one
 * @param {() => void} told
 */
async function saveAll(one, told) {
  try {
    while (!isSaved(one) && !one.conflict) {
      one.said = "Saving…";
      told();
      await upload(one);
    }
    if (isSaved(one)) unsaved.delete(one.id);
    one.said = isSaved(one) ? `Saved in ${one.file}` : one.said;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    one.conflict = error.status === 409;
    one.said = one.conflict ? "Not saved: someone else changed this video." : `Not saved: ${error.message}`;
  }
}

/** @param {Session} one */
async function upload(one) {
  const { now, revision } = one;
  const answer = await send("PUT", address(one.id), { ...plain(now), revision });
  one.revision = answer.revision;
  one.saved = now;
  learnClasses(answer.classes);
}

/** As the server takes it.
 * @param {Edited} edited
 */
function plain({ actions, decided, done }) {
  const rows = actions.map(({ segment, label }) => ({ segment, label }));
  return state.project.labelling ? { actions: rows, decided, done } : { actions: rows };
}

/** Whether someone else has changed what is saved, and nothing was changed here since.
 * @param {Session} one
 */
export async function isOutdated(one) {
  const { revision } = one;
  try {
    const latest = await get(address(one.id));
    return isSaved(one) && one.revision === revision && latest.revision !== revision;
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // said where something is saved
    return false;
  }
}

/** Lets the next save replace what someone else saved meanwhile.
 * @param {Session} one
 */
export async function catchUp(one) {
  try {
    one.revision = (await get(address(one.id))).revision;
    one.conflict = false;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    one.said = `Not saved: ${error.message}`;
  }
}
