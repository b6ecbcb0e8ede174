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
    constructor({ mine, reference, whose, differences, note, unseen }) {
      Object.assign(this, { whose: whose ?? {}, differences: differences ?? [], note });
      this.unseen = unseen ?? {}; // why an array of the learner's is the reference's
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

    /** How a stage differs in a block, in a word; null if it does not. */
    mark(stage, block) {
      const found = this.of(stage, block);
      if (!found.length) return null;
      return found.some(({ follows }) => !follows) ? "differs" : "follows";
    }

    /** The differences of a stage in a block. */
    of(stage, block) {
      const arrays = stage.arrays.map((array) => array.replace("*", block));
      return this.differences.filter(({ stage: array }) => arrays.includes(array));
    }

    /** Why numbers that a stage shows are not the learner's, though they might be. */
    missing(stage, block) {
      const shown = [...stage.arrays, ...stage.shows].map((array) =>
        array.replace("*", block).replace("masked", "scores"));
      return [...new Set(shown.map((array) => this.unseen[array]).filter(Boolean))];
    }

    /** The first wrong cells of an array, of one head if it has heads. */
    marks(array, head) {
      const cells = this.differences.filter(({ stage }) => stage === array).flatMap((d) => d.cells);
      return cells
        .filter(({ at }) => at.length < 3 || at[0] === head)
        .map(({ at }) => ({ name: array, row: at.at(-2), column: at.at(-1) }));
    }

    /** Both numbers of a cell, in place of its sum; null where the sum holds. */
    compared(cell, mode) {
      if (mode === "reference" || !this.traces.mine) return null;
      const [mine, right] = ["mine", "reference"].map((each) => valueOf(this.traces[each], cell));
      return mode === "mine" && Object.is(mine, right)
        ? null : `yours ${written(mine)}, reference ${written(right)}`;
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
      const rest = later ? `Stages that differ because of this: ${later}.` : "";
      return make("div", { className: "inside-given" },
        ...(this.note ? [make("p", {}, this.note)] : []),
        make("ul", { className: "inside-found" }, ...items),
        ...(rest ? [make("p", {}, rest)] : []));
    }
  }

  return { Given, pattern };
})();
