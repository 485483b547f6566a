// @ts-check
// Suppression as far as it is shown: the candidates, how many picks have been made, and what these left of the scores.

import { NOT_YET } from "./state.js";

/** What is shown of a trace, which is null while there is none.
 * @type {Picks}
 */
export const picks = {
  trace: NOT_YET, // the answer: candidates, steps, settings
  of: null, // id of the video that it is about
  at: 0, // how many picks have been made
  scores: [], // of every candidate after `at` picks
  before: [], // and after one pick less
  chosen: null, // index of a candidate
  byLevel: false, // whether every level has a band of heights of its own
};

export function forget() {
  picks.trace = NOT_YET;
  picks.chosen = null;
  picks.at = 0;
}

/** Puts a new trace in place of the old one; the candidate that was chosen stays so if the new one has it.
 * @param {Trace} trace
 * @param {string} id
 */
export function take(trace, id) {
  if (picks.chosen !== null) picks.chosen = found(trace.candidates, picks.trace.candidates[picks.chosen]);
  picks.trace = trace;
  picks.of = id;
  goTo(picks.at);
}

/** The index of the same candidate in another answer, or null.
 * @param {Candidate[]} candidates
 * @param {Candidate} candidate
 */
function found(candidates, { level, moment, label, segment: [from, to] }) {
  const index = candidates.findIndex(
    (one) =>
      one.level === level &&
      one.moment === moment &&
      one.label === label &&
      one.segment[0] === from &&
      one.segment[1] === to,
  );
  return index < 0 ? null : index;
}

/** Goes to the state after so many picks, or the nearest that there is.
 * @param {number} step
 */
export function goTo(step) {
  picks.at = Math.min(Math.max(step, 0), picks.trace.steps.length);
  picks.before = scoresAfter(picks.at - 1);
  picks.scores = scoresAfter(picks.at);
}

/** Of every candidate, when so many picks have been made.
 * @param {number} made
 */
function scoresAfter(made) {
  const values = picks.trace.candidates.map((one) => one.score);
  for (const { changed } of picks.trace.steps.slice(0, Math.max(made, 0))) {
    for (const [index, value] of changed) values[index] = value;
  }
  return values;
}

/** Whether candidates were decoded from moments of levels. */
export const leveled = () => picks.trace.seconds_per_step.length > 0;

/** Whether a candidate was removed by a pick so far: only hard suppression removes.
 * @type {(index: number) => boolean}
 */
export const gone = (index) => picks.trace.settings.method === "hard" && picks.scores[index] === 0;

/** The index of the candidate that is explained: the chosen one, or else that of the current pick. */
export const explained = () => picks.chosen ?? (picks.at ? picks.trace.steps[picks.at - 1].pick : null);
