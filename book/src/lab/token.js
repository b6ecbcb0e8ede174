"use strict";
// A token as the pages show it: in its own colour, with marks for space and line break.
var lab = lab || {};

lab.token = (() => {
  /** A token's text with its marks: `·` for a space, `↵` for a line break. */
  const shown = (token) => token.replaceAll(" ", "·").replaceAll("\n", "↵");

  /** A token in a sentence. */
  const quoted = (token) => `‘${shown(token)}’`;

  /** The colour's angle, 0 to 359: equal tokens have the same. */
  function hue(token) {
    const number = Array.from(token, (c) => c.codePointAt(0)).reduce((a, b) => 14 * a + b, 2);
    return Math.round((number * 137.508) % 360); // the golden angle spreads neighbours
  }

  /** A token as an element. */
  function chip(token) {
    const element = lab.dom.make("span", { className: "token" }, shown(token));
    element.style.setProperty("--hue", hue(token));
    return element;
  }

  return { shown, quoted, chip };
})();
