"use strict";
// The colours of numbers: blue above 0, orange below, pale near 0, in the page's theme.
var lab = lab || {};

lab.gridColors = (() => {
  const SHADES = 24;
  const VARIABLES = {
    above: "--fig-1", below: "--fig-2", zero: "--soft", ink: "--ink", paper: "--bg", bad: "--bad",
  };

  const css = (color, alpha = 1) => `rgb(${color.map(Math.round).join(" ")} / ${alpha})`;
  const blend = (a, b, share) => a.map((x, i) => x + share * (b[i] - x));

  /** How strong a number's colour is, −1 to 1; weak numbers stay visible. */
  const strength = (x, scale) => Math.sign(x) * Math.min(1, Math.abs(x) / scale) ** 0.7;

  /** The number at which the colour is full: nearly the largest, but for outliers. */
  function scaleOf(values) {
    const sizes = Float64Array.from(values, Math.abs).filter(Number.isFinite).sort();
    return sizes[Math.ceil(0.985 * (sizes.length - 1))] || 1;
  }

  class Palette {
    /** Reads the colours of the theme where an element stands. */
    constructor(element) {
      const probe = lab.dom.make("span", { hidden: true });
      element.append(probe);
      for (const [name, variable] of Object.entries(VARIABLES)) {
        probe.style.color = `var(${variable})`;
        this[name] = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
      }
      probe.remove();
    }

    /** A number's colour. */
    of(value, scale) {
      if (value === -Infinity) return css(this.paper); // a hidden score
      if (Number.isNaN(value)) return css(this.bad);
      const t = Math.round(strength(value, scale) * SHADES) / SHADES;
      return css(blend(this.zero, t < 0 ? this.below : this.above, Math.abs(t)));
    }

    /** The colour of text on a number's colour. */
    on(value, scale) {
      const strong = Number.isFinite(value) && Math.abs(strength(value, scale)) > 0.55;
      return css(strong ? this.paper : this.ink);
    }
  }

  return { Palette, scaleOf, css };
})();
