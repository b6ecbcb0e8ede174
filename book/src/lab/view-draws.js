"use strict";
// Many draws of one token, beside the expected counts.
var lab = lab || {};

lab.viewDraws = (() => {
  const { find, make, count, percent } = lab.dom;
  const DRAWS = 1000;
  const SHOWN = 10;

  /** Half the width of the interval that holds 95 of 100 results. */
  const spread = (share, draws) => 1.96 * Math.sqrt((share * (1 - share)) / draws);

  function row({ name, share, drawn, draws, scale }) {
    const track = make("span", { className: "lab-tracks" },
      make("span", { className: "lab-after" }),
      make("span", { className: "lab-band" }),
      make("span", { className: "lab-dot" }));
    const bar = make("div", { className: "lab-bar" },
      make("span", { className: "lab-name" }, name), track,
      make("span", { className: "lab-number" }, `expected ${count(Math.round(share * draws))}`),
      make("span", { className: "lab-number" }, `drawn ${count(drawn)}`));
    const values = { after: share, drawn: drawn / draws, spread: spread(share, draws), scale };
    for (const [key, value] of Object.entries(values)) bar.style.setProperty(`--${key}`, value);
    return make("li", {}, bar);
  }

  class Draws {
    constructor(tokenizer, seed) {
      this.tokenizer = tokenizer;
      this.seed = seed;
      find("lab-draw").addEventListener("click", () => this.draw());
      find("lab-draw-clear").addEventListener("click", () => this.clear());
      this.clear();
    }

    /** Takes another distribution and sets all counts to 0. */
    show({ after }) {
      this.probabilities = after;
      if (this.draws) this.clear();
    }

    clear() {
      this.draws = 0;
      this.counts = null;
      find("lab-draws").hidden = true;
      find("lab-draw-note").textContent = "";
    }

    draw() {
      if (!this.draws) this.uniform = lab.random.generator(this.seed());
      this.draws += DRAWS;
      this.counts = lab.random.drawMany(this.probabilities, DRAWS, this.uniform, this.counts);
      this.showRows();
      const gap = lab.statistics.distance(this.counts, this.draws, this.probabilities);
      find("lab-draw-note").textContent =
        `${count(this.draws)} draws. To match theory exactly, ${percent(gap)} of them ` +
        "would have to be other tokens.";
    }

    showRows() {
      const best = lab.decoding.likeliestFirst(this.probabilities).slice(0, SHOWN);
      const ids = best.filter((id) => this.probabilities[id] > 0);
      const ends = ids.map((id) => this.probabilities[id]).map((p) => p + spread(p, DRAWS));
      const scale = lab.viewBars.scaleFor(ends);
      const rows = ids.map((id) => row({
        name: this.tokenizer.show(id),
        share: this.probabilities[id],
        drawn: this.counts[id],
        draws: this.draws,
        scale,
      }));
      find("lab-draws").replaceChildren(...rows);
      find("lab-draws").hidden = false;
    }
  }

  return { Draws };
})();
