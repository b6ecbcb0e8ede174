"use strict";
// Small helpers for the page: elements, numbers as text, one tab stop for many buttons.
var lab = lab || {};

lab.dom = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const find = (id) => document.getElementById(id);

  /** An element with properties or attributes, and what it contains. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** The same for a drawing. */
  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** A share as per cent, with a space that does not break. */
  function percent(share) {
    if (share > 0 && share < 0.0005) return "< 0.1\u00a0%";
    return `${(100 * share).toFixed(1)}\u00a0%`;
  }

  const count = (number) => number.toLocaleString("en-US");
  const signed = (number, digits = 2) => number.toFixed(digits).replace("-", "\u2212");
  const quoted = (text) => `‘${text}’`;

  /** Gives a group of buttons one tab stop; arrow keys move between them. */
  function arrowKeys(group) {
    group.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
      const buttons = [...group.querySelectorAll("button")];
      const target = buttons[buttons.indexOf(document.activeElement) + step];
      if (!target) return;
      event.preventDefault();
      target.focus();
    });
    group.addEventListener("focusin", (event) => stopAt(group, event.target));
  }

  function stopAt(group, button) {
    for (const other of group.querySelectorAll("button")) other.tabIndex = -1;
    button.tabIndex = 0;
  }

  /** Keeps arrow keys from mdBook, which would turn the page. */
  function keepArrowKeys(root) {
    root.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow")) event.stopPropagation();
    });
  }

  /** Lets the browser show what has changed. */
  const pause = () => new Promise((resolve) => setTimeout(resolve));

  return {
    find, make, draw, percent, count, signed, quoted, arrowKeys, stopAt, keepArrowKeys,
    pause,
  };
})();
