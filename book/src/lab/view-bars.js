"use strict";
// The likeliest tokens as buttons, with each probability before and after the filters.
var lab = lab || {};

lab.viewBars = (() => {
  const { find, make, percent, quoted } = lab.dom;
  const FEW = 12;
  const MANY = 40;
  const SCALES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1]; // possible shares of a full bar
  const NAMES = {
    pattern: "pattern",
    repetitionPenalty: "repetition penalty",
    temperature: "temperature",
    topK: "top-k",
    topP: "top-p",
    minP: "min-p",
  };

  /** A row: a token, two bars and two numbers. */
  function row(tag = "button") {
    const parts = ["lab-name", "lab-tracks", "lab-number", "lab-number"];
    const cells = parts.map((className) => make("span", { className }));
    const bars = ["lab-before", "lab-after"].map((className) => make("span", { className }));
    cells[1].append(...bars);
    const control = make(tag, { className: "lab-bar" }, ...cells);
    if (tag === "button") control.type = "button";
    return make("li", {}, control);
  }

  /** Fills a row in. The style sheet draws the shares in the row's style. */
  function fill(item, { name, before, after, gone, scale, label }) {
    const control = item.firstChild;
    control.style.setProperty("--before", before);
    control.style.setProperty("--after", after);
    control.style.setProperty("--scale", scale);
    control.classList.toggle("lab-gone", Boolean(gone));
    const [first, , second, third] = control.children;
    first.textContent = name;
    second.textContent = percent(before);
    third.textContent = gone ? gone : percent(after);
    if (label) control.setAttribute("aria-label", label);
  }

  /** The filter that removed a token, or an empty text. */
  function removedBy(id, stages) {
    const stage = stages.find(({ logits }) => logits[id] === -Infinity);
    return stage ? NAMES[stage.name] : "";
  }

  /** The total share of all other ids. */
  function rest(shares, ids) {
    const shown = new Set(ids);
    return shares.reduce((sum, share, id) => (shown.has(id) ? sum : sum + share), 0);
  }

  function scaleFor(shares) {
    const highest = Math.max(...shares);
    return SCALES.find((scale) => scale >= highest) ?? 1;
  }

  class Bars {
    constructor(tokenizer, choose) {
      this.tokenizer = tokenizer;
      this.rows = Array.from({ length: MANY }, () => row());
      this.others = row("div");
      this.others.classList.add("lab-others");
      this.others.querySelector(".lab-tracks").replaceChildren(); // the share is off the scale
      this.shown = FEW;
      find("lab-bars").append(...this.rows, this.others);
      find("lab-bars").addEventListener("click", (event) => {
        const place = this.rows.indexOf(event.target.closest("li"));
        if (place >= 0) choose(this.ids[place]);
      });
      find("lab-more").addEventListener("click", () => {
        this.shown = this.shown === FEW ? MANY : FEW;
        this.show(this.step);
      });
    }

    /** Shows one step: probabilities before and after, and the filters' stages. */
    show(step) {
      this.step = step;
      const { before, after } = step;
      this.ids = lab.decoding.likeliestFirst(before).slice(0, this.shown);
      const scale = scaleFor(this.ids.flatMap((id) => [before[id], after[id]]));
      this.rows.forEach((item, place) => {
        item.hidden = place >= this.ids.length;
        if (!item.hidden) fill(item, this.values(this.ids[place], step, scale));
      });
      this.showOthers(step, scale);
      find("lab-scale").textContent = `A bar across the whole width would be ${100 * scale} %.`;
      find("lab-more").textContent = `Show ${this.shown === FEW ? MANY : FEW} tokens`;
    }

    values(id, { before, after, stages }, scale) {
      const name = this.tokenizer.show(id);
      const gone = removedBy(id, stages);
      const now = gone ? `removed by ${gone}` : `${percent(after[id])} after the filters`;
      const label = `${quoted(name)}: ${percent(before[id])}, ${now}. Choose it.`;
      return { name, before: before[id], after: after[id], gone, scale, label };
    }

    showOthers({ before, after }, scale) {
      const name = `${lab.dom.count(before.length - this.ids.length)} others`;
      const [first, second] = [before, after].map((shares) => rest(shares, this.ids));
      fill(this.others, { name, before: first, after: second, scale });
    }
  }

  return { Bars, NAMES, row, fill, removedBy, rest, scaleFor };
})();
