"use strict";
// The sliders and the order of the filters, and their effect on logits.
var lab = lab || {};

lab.viewFilters = (() => {
  const { find } = lab.dom;
  const { OFF } = lab.decoding;
  const DIGITS = { temperature: 2, topK: 0, topP: 2, minP: 2, repetitionPenalty: 2 };
  const NAMES = Object.keys(OFF);

  /** The text of a setting. */
  function words(name, value) {
    if (name === "temperature" && value === 0) return "0: greedy";
    return value === OFF[name] ? "off" : value.toFixed(DIGITS[name]);
  }

  class Filters {
    constructor(changed) {
      this.form = find("lab-settings");
      this.changed = changed;
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", () => this.read());
      find("lab-reset").addEventListener("click", () => {
        this.set();
        changed();
      });
      this.set();
    }

    /** Sets some filters, switches off all others and resets the order. */
    set(values = {}) {
      this.settings = { ...OFF, ...values };
      this.order = "temperature first";
      for (const name of NAMES) this.form.elements[name].value = this.settings[name];
      this.form.elements.order.value = this.order;
      this.label();
    }

    read() {
      for (const name of NAMES) this.settings[name] = this.form.elements[name].valueAsNumber;
      this.order = this.form.elements.order.value;
      this.label();
      this.changed();
    }

    label() {
      for (const name of NAMES) {
        const text = words(name, this.settings[name]);
        this.form.elements[name].setAttribute("aria-valuetext", text);
        this.form.querySelector(`output[for="lab-${name}"]`).value = text;
      }
    }

    /**
     * Probabilities before and after, and the logits after each filter.
     *
     * If tokens are `allowed`, the others are removed before all filters.
     */
    apply(logits, previousIds, allowed) {
      const { softmax, stages } = lab.decoding;
      const first = allowed ? lab.patterns.constrain(logits, allowed) : logits;
      const filters = stages(first, previousIds, this.settings, this.order);
      const all = allowed ? [{ name: "pattern", logits: first }, ...filters] : filters;
      return { before: softmax(logits), stages: all, after: softmax(all.at(-1).logits) };
    }
  }

  return { Filters };
})();
