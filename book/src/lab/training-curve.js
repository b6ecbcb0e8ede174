"use strict";
// Draws the losses of a training, and marks a moment.
var lab = lab || {};

lab.trainingCurve = (() => {
  const { draw, count } = lab.dom;
  const [WIDTH, HEIGHT] = [480, 230];
  const [LEFT, RIGHT, TOP, BOTTOM] = [34, 12, 10, 40]; // around the axes

  /** The place of a step and a loss in the drawing. */
  function scales(steps, highest) {
    return {
      x: (step) => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT),
      y: (loss) => HEIGHT - BOTTOM - (loss / highest) * (HEIGHT - TOP - BOTTOM),
    };
  }

  const line = (points, name) =>
    draw("polyline", { points: points.map((p) => p.join()).join(" "), class: name });

  function grid({ x, y }, steps, highest) {
    const losses = Array.from({ length: Math.floor(highest / 2) + 1 }, (_, i) => 2 * i);
    const [left, right] = [x(0), x(steps)];
    return [
      ...losses.flatMap((loss) => [
        draw("line", { x1: left, x2: right, y1: y(loss), y2: y(loss) }),
        draw("text", { x: left - 6, y: y(loss), class: "training-at-end" }, loss),
      ]),
      draw("text", { x: left, y: HEIGHT - 18 }, "0"),
      draw("text", { x: right, y: HEIGHT - 18, class: "training-at-end" },
        `${count(steps)} steps`),
    ];
  }

  class Curve {
    constructor({ losses, steps_per_loss: size, moments }) {
      const steps = moments.at(-1).step;
      const highest = Math.max(...losses, ...moments.map((m) => m.validation));
      const { x, y } = (this.place = scales(steps, highest));
      const middle = (i) => (i * size + Math.min(steps, (i + 1) * size)) / 2;
      this.line = draw("line", { y1: TOP, y2: HEIGHT - BOTTOM, class: "training-mark" });
      this.dot = draw("circle", { r: 5, class: "training-dot" });
      const held = moments.map((m) => [x(m.step), y(m.validation)]);
      this.svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "training-curve" },
        draw("g", { class: "training-grid" }, ...grid(this.place, steps, highest)),
        line(losses.map((loss, i) => [x(middle(i)), y(loss)]), "training-loss"),
        line(held, "training-held-out"),
        ...held.map(([cx, cy]) => draw("circle", { cx, cy, r: 2.5, class: "training-point" })),
        this.line, this.dot);
      this.svg.setAttribute("aria-hidden", "true"); // the page has the same as text
    }

    /** Marks a moment. */
    mark({ step, validation }) {
      const { x, y } = this.place;
      for (const end of ["x1", "x2"]) this.line.setAttribute(end, x(step));
      this.dot.setAttribute("cx", x(step));
      this.dot.setAttribute("cy", y(validation));
    }
  }

  return { Curve };
})();
