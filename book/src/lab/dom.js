"use strict";
// Helpers for the page: elements, numbers as text, one tab stop for many buttons.
var lab = lab || {};

lab.dom = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const find = (id) => document.getElementById(id);

  /** An element with properties or attributes, and children. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** An SVG element with attributes and children. */
  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** A share as a percentage, with a no-break space. */
  function percent(share) {
    if (share > 0 && share < 0.0005) return "< 0.1\u00a0%";
    return `${(100 * share).toFixed(1)}\u00a0%`;
  }

  const count = (number) => number.toLocaleString("en-US");
  const signed = (number, digits = 2) => number.toFixed(digits).replace("-", "\u2212");
  /** A number with two places, or more if it is smaller than 1. */
  function written(x) {
    if (!Number.isFinite(x)) return String(x).replace("-", "−").replace("Infinity", "∞");
    const size = Math.abs(x);
    const places = size === 0 ? 0 : size >= 0.9995 ? 2 : size >= 0.00995 ? 3 : 4;
    const text = x.toFixed(places);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  }

  const quoted = (text) => `‘${text}’`;

  /** Gives a group of buttons one tab stop; arrow keys move between the buttons. */
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

  /** Hides arrow keys from the book, which would open another page. */
  function keepArrowKeys(root) {
    root.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow")) event.stopPropagation();
    });
  }

  /** Loads a script once; unlike fetch, this also works from a disk. */
  function loadScript(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${address} cannot be loaded`));
      document.head.append(script);
    });
  }

  /** Gives the browser time to draw the changes. */
  const pause = () => new Promise((resolve) => setTimeout(resolve));

  return {
    find, make, draw, percent, count, signed, written, quoted, arrowKeys, stopAt, keepArrowKeys,
    loadScript, pause,
  };
})();
