// @ts-check
// Sentences about candidates and picks.

import { clock, count, plural, score, span } from "./format.js";
import { state } from "./state.js";
import { gone, leveled, picks } from "./suppression_state.js";

export function describePick() {
  const { at, trace } = picks;
  const { candidates, steps } = trace;
  if (candidates.length === 0) return "No candidates in this span: zoom out, or move on.";
  if (at === 0) return `Before the first pick. ${plural(steps.length, "pick")} will follow: move the slider.`;
  const { pick, score: value, changed } = steps[at - 1];
  const { label, segment } = candidates[pick];
  const does = trace.settings.method === "hard" ? "removes" : "lowers";
  const outcome = changed.length ? `${does} ${plural(changed.length, "overlapping candidate")}` : `${does} nothing`;
  return `Pick ${at} of ${steps.length}: ${state.project.classes[label]}, ${span(segment)}, score ${score(value)}; it ${outcome}.`;
}

export function describeCounts() {
  const { trace } = picks;
  /** @type {Map<number, number>} */
  const byLevel = new Map();
  for (const { level } of trace.candidates) byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
  const levels = [...byLevel]
    .sort((a, b) => a[0] - b[0])
    .map(([level, n]) => `level ${level}: ${n}`)
    .join(", ");
  const by = leveled() ? ` ${levels}` : "";
  const more = trace.total > trace.candidates.length ? ` (the best of ${count(trace.total)})` : "";
  return `${plural(trace.candidates.length, "candidate")}${more} from ${clock(state.view[0], 1)} to ${clock(state.view[1], 1)}.${by}`;
}

/** @type {(one: Candidate) => string} */
export const named = ({ label, segment }) => `${state.project.classes[label]}, ${span(segment)}`;

/** The score of a candidate now and at first.
 * @param {number} index
 */
export function fate(index) {
  const first = picks.trace.candidates[index].score;
  const now = picks.scores[index];
  if (gone(index)) return `Removed, score ${score(first)} at first`;
  return now === first ? `Score ${score(first)}` : `Score ${score(now)} now, ${score(first)} at first`;
}

/** Where a candidate comes from, in words: the arithmetic from a moment of a level to a segment, if there are levels.
 * @param {Candidate} candidate
 * @returns {string[]}
 */
export function decoded(candidate) {
  return leveled() ? decodedAtMoment(candidate) : ["the network gives this segment and its score at once"];
}

/** @type {(candidate: Candidate) => string[]} */
function decodedAtMoment({ level, moment, offsets: [back, ahead], segment: [from, to], score: probability }) {
  const step = picks.trace.seconds_per_step[level];
  const number = (/** @type {number} */ value, decimals = 2) => value.toFixed(decimals).replace("-", "−");
  const sum = (/** @type {"+" | "−"} */ sign, /** @type {number} */ offset, /** @type {number} */ cut) => {
    const end = moment + (sign === "+" ? offset : -offset) * step;
    const clipped = Math.abs(end - cut) > 0.005 ? `, cut to ${number(cut)} s` : "";
    return `${number(moment, 3)} ${sign} ${number(offset, 3)} × ${number(step, 4)} ≈ ${number(end)} s${clipped}`;
  };
  return [
    `level ${level}, moment ${number(moment, 3)} s, one step ${number(step, 4)} s`,
    `start = ${sum("−", back, from)}`,
    `end = ${sum("+", ahead, to)}`,
    `probability ${score(probability)}`,
  ];
}

/** @param {number} index */
export function describeCandidate(index) {
  const one = picks.trace.candidates[index];
  const [where, ...sums] = decoded(one);
  const how = leveled() ? `Decoded at ${where}: ${sums.join(", ")}` : `${where[0].toUpperCase()}${where.slice(1)}`;
  return `${named(one)}. ${fate(index)}. ${how}.`;
}
