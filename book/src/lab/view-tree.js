"use strict";
// A beam search as a drawn tree and as a list.
var lab = lab || {};

lab.viewTree = (() => {
  const { make, draw, signed } = lab.dom;
  const [WIDTH, HEIGHT, ACROSS, DOWN, START] = [86, 38, 108, 46, 24];

  const left = (step) => START + step * ACROSS;
  const top = (rank) => rank * DOWN + 4;

  /** The candidates that form a text, one for each step. */
  function lineage(steps, text) {
    const line = [text];
    for (let step = text.length - 2; step >= 0; step--) {
      line.unshift(steps[step][line[0].parent]);
    }
    return new Set(line);
  }

  function link(step, candidate, chosen) {
    const start = { x: 8, y: top(0) }; // the prompt
    const from = step ? { x: left(step - 1) + WIDTH, y: top(candidate.parent) } : start;
    const [to, middle] = [{ x: left(step), y: top(candidate.rank) }, HEIGHT / 2];
    const bend = (from.x + to.x) / 2;
    const d = `M${from.x} ${from.y + middle}C${bend} ${from.y + middle} ` +
      `${bend} ${to.y + middle} ${to.x} ${to.y + middle}`;
    return draw("path", { d, class: `lab-link lab-${candidate.fate} ${chosen ? "lab-best" : ""}` });
  }

  function box(inset, { rank }, step) {
    const size = { width: WIDTH - 2 * inset, height: HEIGHT - 2 * inset, rx: 6 };
    return draw("rect", { x: left(step) + inset, y: top(rank) + inset, ...size });
  }

  function node(name, step, candidate, chosen) {
    const { fate, rank, sum } = candidate;
    const boxes = { kept: [0], ended: [0, 3], dropped: [] }[fate];
    const middle = left(step) + WIDTH / 2;
    const short = name.length > 10 ? `${name.slice(0, 9)}…` : name;
    return draw("g", { class: `lab-node lab-${fate} ${chosen ? "lab-best" : ""}` },
      ...boxes.map((inset) => box(inset, candidate, step)),
      draw("text", { x: middle, y: top(rank) + 16, class: "lab-node-name" }, short),
      draw("text", { x: middle, y: top(rank) + 31 }, signed(sum)));
  }

  /** The drawing. Screen readers get the list instead. */
  function tree(steps, winner, show) {
    const line = lineage(steps, winner);
    const all = steps.flatMap((step, i) => step.map((candidate) => [i, candidate]));
    const rows = Math.max(...steps.map((step) => step.length));
    const sizes = [left(steps.length - 1) + WIDTH + 2, DOWN * rows];
    return draw("svg", {
      class: "lab-tree", width: sizes[0], height: sizes[1],
      viewBox: `0 0 ${sizes.join(" ")}`, "aria-hidden": "true",
    },
    ...all.map(([i, c]) => link(i, c, line.has(c))),
    ...all.map(([i, c]) => node(show(c.token), i, c, line.has(c))));
  }

  /** A list of all candidates and their outcomes, by step. */
  function list(steps, winner, show) {
    const line = lineage(steps, winner);
    return steps.map((step) => make("li", {}, make("ul", {}, ...step.map((candidate) => {
      const { sum, fate } = candidate;
      const won = line.has(candidate) ? ", on the winner’s way" : "";
      return make("li", {}, `${show(candidate)}, ${signed(sum)}, ${fate}${won}`);
    }))));
  }

  return { tree, list };
})();
