"use strict";
// Arrays from the text that book/lab/packing.py writes.
var lab = lab || {};

lab.unpack = (() => {
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const VALUE = new Uint8Array(128);
  [...DIGITS].forEach((digit, value) => (VALUE[digit.charCodeAt(0)] = value));
  const MOST = 90; // a weight is one of the numbers -MOST to MOST times its row's scale
  const CODES = 2 * MOST + 1;

  /** Decodes base64 to an array of a type such as Float32Array. */
  function array(Type, text) {
    return new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  }

  /** Decodes five digits for four numbers; returns float32 [rows · columns]. */
  function matrix({ rows, columns, scale, digits }) {
    const scales = array(Float32Array, scale);
    const values = new Float32Array(rows * columns);
    for (let i = 0, group = 0; i < values.length; i++) {
      if (i % 4 === 0) {
        group = 0;
        const start = (5 * i) / 4;
        for (let k = 4; k >= 0; k--) group = group * 64 + VALUE[digits.charCodeAt(start + k)];
      }
      values[i] = ((group % CODES) - MOST) * scales[Math.floor(i / columns)];
      group = Math.floor(group / CODES);
    }
    return values;
  }

  return { array, matrix };
})();
