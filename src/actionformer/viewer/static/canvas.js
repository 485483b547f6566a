// @ts-check
// What is drawn over time: a canvas that is sharp, and seconds as pixels.

/** Seconds <-> pixels of a span that is drawn from `left` on over `width` pixels.
 * @param {Span} view
 * @param {number} left
 * @param {number} width
 * @returns {Scale}
 */
export function scaleOf([start, end], left, width) {
  const perSecond = width / (end - start);
  return {
    left,
    perSecond,
    x: (time) => left + (time - start) * perSecond,
    time: (x) => start + (x - left) / perSecond,
  };
}

/** Prepares a canvas of `width` by `height` CSS pixels for sharp drawing and gives its cleared context.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
export function prepare(canvas, width, height) {
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  return context;
}
