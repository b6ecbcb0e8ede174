"use strict";
// The model's likeliest tokens, and the likeliest of those that fit a pattern.
var lab = lab || {};

lab.viewFitting = (() => {
  const { find, count, percent, quoted } = lab.dom;
  const { row, fill, removedBy, rest, scaleFor } = lab.viewBars;
  const LIKELIEST = 5; // shown of all tokens
  const FITTING = 6; // shown of those that may follow

  /** The ids to show, likeliest first. */
  function interesting({ before, allowed }) {
    const order = lab.decoding.likeliestFirst(before);
    const best = order.slice(0, LIKELIEST);
    const fitting = order.slice(LIKELIEST).filter((id) => allowed[id]);
    return [...best, ...fitting.slice(0, FITTING)];
  }

  class Bars {
    constructor(tokenizer, choose) {
      this.tokenizer = tokenizer;
      this.list = find("lab-pattern-bars");
      this.rows = Array.from({ length: LIKELIEST + FITTING }, () => row());
      this.others = row("div");
      this.others.classList.add("lab-others");
      this.others.querySelector(".lab-tracks").replaceChildren(); // the share is off the scale
      this.list.append(...this.rows, this.others);
      this.list.addEventListener("click", ({ target }) => {
        const place = this.rows.indexOf(target.closest("li"));
        if (place >= 0) choose(this.ids[place]);
      });
    }

    /** Shows a step, or nothing; a hidden row hands the focus on, at last to a button. */
    show(step, button) {
      const focused = this.list.contains(document.activeElement) && document.activeElement;
      find("lab-pattern-next").hidden = !step;
      if (step) this.showRows(step);
      if (!focused || focused.checkVisibility()) return;
      const fitting = step && this.rows.find((_, place) => step.allowed[this.ids[place]]);
      (fitting ? fitting.firstChild : button).focus();
    }

    showRows(step) {
      const { before, after } = step;
      this.ids = interesting(step);
      const scale = scaleFor(this.ids.flatMap((id) => [before[id], after[id]]));
      this.rows.forEach((item, place) => {
        item.hidden = place >= this.ids.length;
        if (!item.hidden) this.showToken(item, this.ids[place], step, scale);
      });
      const name = `${count(before.length - this.ids.length)} others`;
      const [first, second] = [before, after].map((shares) => rest(shares, this.ids));
      fill(this.others, { name, before: first, after: second, scale });
    }

    showToken(item, id, { before, after, stages, allowed }, scale) {
      const [name, gone] = [this.tokenizer.show(id), removedBy(id, stages)];
      const now = gone ? `removed by ${gone}` : `${percent(after[id])} after`;
      const label = `${quoted(name)}: ${percent(before[id])}, ${now}.`;
      const invite = allowed[id] ? `${label} Choose it.` : label;
      fill(item, { name, before: before[id], after: after[id], gone, scale, label: invite });
      item.firstChild.ariaDisabled = !allowed[id];
    }
  }

  return { Bars };
})();
