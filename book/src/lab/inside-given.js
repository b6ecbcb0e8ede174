"use strict";
// Numbers from Python: the learner's and the reference's, and where the two differ.
var lab = lab || {};

lab.insideGiven = (() => {
  const { make, written } = lab.dom;
  const { valueOf } = lab.cells;
  const NAMES = { mine: "yours", reference: "reference", difference: "difference" };

  /** An array's name for any block: "h.2.query" → "h.*.query". */
  const pattern = (array) => array.replace(/^h\.\d+\./, "h.*.");

  class Given {
    constructor({ mine, reference, whose, differences, note }) {
      Object.assign(this, { whose: whose ?? {}, differences: differences ?? [], note });
      const right = lab.trace.read(reference);
      this.traces = { reference: right };
      if (mine) {
        const own = lab.trace.read(mine);
        this.traces = { mine: own, reference: right, difference: lab.trace.difference(own, right) };
      }
    }

    /** The names of the traces by which the reader may look. */
    get modes() {
      return Object.keys(this.traces).map((mode) => NAMES[mode]);
    }

    /** Differences that do not follow from another. */
    get first() {
      return this.differences.filter(({ follows }) => !follows);
    }

    /** How a stage differs, in a word; null if it does not. */
    mark(stage) {
      const found = this.of(stage);
      if (!found.length) return null;
      return found.some(({ follows }) => !follows) ? "differs" : "follows";
    }

    /** The differences of a stage. */
    of(stage) {
      return this.differences.filter(({ stage: array }) => stage.arrays.includes(pattern(array)));
    }

    /** The first wrong cells of an array, of one head if it has heads. */
    marks(array, head) {
      const cells = this.differences.filter(({ stage }) => stage === array).flatMap((d) => d.cells);
      return cells
        .filter(({ at }) => at.length < 3 || at[0] === head)
        .map(({ at }) => ({ name: array, row: at.at(-2), column: at.at(-1) }));
    }

    /** Both numbers of a cell, in place of its sum. */
    compared(cell) {
      const [mine, right] = ["mine", "reference"].map((mode) => valueOf(this.traces[mode], cell));
      return `yours ${written(mine)}, reference ${written(right)}`;
    }

    /** Whose a step is, in words. */
    owner(step) {
      return this.whose[step] ? ` · ${this.whose[step]}` : "";
    }

    /** The note, and the first differences with a way to each. */
    element(open) {
      const items = this.first.map((difference) => {
        const button = make("button", { type: "button" }, "Show it");
        button.addEventListener("click", () => open(difference));
        return make("li", {}, `${difference.sentence} `, button);
      });
      const later = this.differences.length - items.length;
      const rest = later ? `Later differences that follow from these: ${later}.` : "";
      return make("div", { className: "inside-given" },
        ...[this.note, rest].filter(Boolean).map((text) => make("p", {}, text)),
        make("ul", { className: "inside-found" }, ...items));
    }
  }

  return { Given, pattern };
})();
