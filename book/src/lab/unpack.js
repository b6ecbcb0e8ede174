"use strict";
// Arrays from the text that book/lab/packing.py writes.
var lab = lab || {};

lab.unpack = (() => {
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const VALUE = new Uint8Array(128);
  [...DIGITS].forEach((digit, value) => (VALUE[digit.charCodeAt(0)] = value));
  const ZERO = 2048; // the code of weight 0

  /** Decodes base64 to an array of a type such as Float32Array. */
  function array(Type, text) {
    return new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  }

  /** Decodes two digits for each number; returns float32 [rows · columns]. */
  function matrix({ rows, columns, scale, digits }) {
    const scales = array(Float32Array, scale);
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < values.length; i++) {
      const high = VALUE[digits.charCodeAt(2 * i)];
      const low = VALUE[digits.charCodeAt(2 * i + 1)];
      values[i] = (high * 64 + low - ZERO) * scales[Math.floor(i / columns)];
    }
    return values;
  }

  return { array, matrix };
})();
