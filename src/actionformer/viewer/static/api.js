// @ts-check
// Answers of the server, or, in a saved report, those that were saved with it.

/** @typedef {Record<string, string | number | boolean | null | undefined>} Parameters */

const saved = document.getElementById("report");
const report = saved ? JSON.parse(saved.textContent ?? "") : null;

/** When this report was saved (ISO date), or null on a running server. */
export const savedAt = report ? report.made : null;

/** An answer that is no success; `message` is meant for the user. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {number} status of the answer; 0 where none came
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Any text as one segment of a path, with `~` for `%`: a server reads escapes before it looks for slashes, and a browser
 * takes `..` for the folder above.
 * @type {(id: string) => string}
 */
export const escapedId = (id) =>
  encodeURIComponent(id).replaceAll("~", "%7E").replaceAll(".", "%2E").replaceAll("%", "~");

/** `api/videos/ID/PART?name=value`, with everything escaped.
 * @param {string} id
 * @param {string} [part]
 * @param {Parameters} [parameters]
 */
export function videoAddress(id, part = "", parameters = {}) {
  return `api/videos/${escapedId(id)}${part ? `/${part}` : ""}${query(parameters)}`;
}

/** `?name=value&...` of those that have a value.
 * @param {Parameters} parameters
 */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** The answer to GET; throws `Refused` with words for the user.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(address, signal) {
  if (!report) return ask(address, { signal });
  if (address in report.answers) return report.answers[address];
  throw new Refused("This is not kept in a saved report. Run `actionformer view` to see it.", 404);
}

/** The answer to POST or PUT of `content` as JSON; throws `Refused`.
 * @param {"POST" | "PUT"} method
 * @param {string} address
 * @param {unknown} content
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function send(method, address, content, signal) {
  if (report) throw new Refused("A saved report computes nothing. Run `actionformer view` for this.", 405);
  return ask(address, {
    method,
    signal,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
  });
}

/** The bytes behind an address of a running server; throws `Refused`.
 * @type {(address: string, signal: AbortSignal) => Promise<ArrayBuffer>}
 */
export const bytes = (address, signal) => ask(address, { signal }, (response) => response.arrayBuffer());

/**
 * @param {string} address
 * @param {RequestInit} options
 * @param {(response: Response) => Promise<any>} [read]
 */
async function ask(address, options, read = (response) => response.json().catch(() => null)) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
    if (response.ok) return await read(response);
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is the program that opened this page still running?", 0);
  }
  const content = await response.json().catch(() => null);
  throw new Refused(content?.error ?? `The server answered ${response.status}.`, response.status);
}

/** Of several calls only the latest counts: earlier ones are cut off and give null.
 * @template {any[]} Inputs
 * @template Answer
 * @param {(signal: AbortSignal, ...inputs: Inputs) => Promise<Answer>} compute
 * @returns {(...inputs: Inputs) => Promise<Answer | null>}
 */
export function latest(compute) {
  /** @type {AbortController | null} */
  let controller = null;
  return async (...inputs) => {
    controller?.abort();
    const mine = (controller = new AbortController());
    try {
      const answer = await compute(mine.signal, ...inputs);
      return mine.signal.aborted ? null : answer;
    } catch (error) {
      if (mine.signal.aborted) return null;
      throw error;
    }
  };
}
