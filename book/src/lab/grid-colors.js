"use strict";
// The colours of numbers: blue above 0, orange below, pale near 0, in the page's theme.
var lab = lab || {};

lab.gridColors = (() => {
  const SHADES = 24;
  const [BLACK, WHITE] = [[0, 0, 0], [255, 255, 255]];
  const VARIABLES = {
    above: "--fig-1", below: "--fig-2", zero: "--soft", ink: "--ink", paper: "--bg", bad: "--bad",
  };

  const css = (color, alpha = 1) => `rgb(${color.map(Math.round).join(" ")} / ${alpha})`;
  const blend = (a, b, share) => a.map((x, i) => x + share * (b[i] - x));

  /** How light a colour is, 0 to 1, and the contrast of two colours (WCAG 2, roughly). */
  const light = ([r, g, b]) =>
    0.2126 * (r / 255) ** 2.2 + 0.7152 * (g / 255) ** 2.2 + 0.0722 * (b / 255) ** 2.2;
  function contrast(a, b) {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  }

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
      return css(this.mix(value, scale));
    }

    /**
     * The colour of text on a number's colour: the one that can be read better.
     * No softer pair of colours reaches a contrast of 4.5 on all of them.
     */
    on(value, scale) {
      const under = this.mix(value, scale);
      return css(contrast(BLACK, under) > contrast(WHITE, under) ? BLACK : WHITE);
    }

    mix(value, scale) {
      if (value === -Infinity) return this.paper; // a hidden score
      if (Number.isNaN(value)) return this.bad;
      const t = Math.round(strength(value, scale) * SHADES) / SHADES;
      return blend(this.zero, t < 0 ? this.below : this.above, Math.abs(t));
    }
  }

  return { Palette, scaleOf, css };
})();
