"use strict";
// Draws a matrix of shares: small without tokens, or large with tokens.
var lab = lab || {};

lab.attentionMatrix = (() => {
  const { draw, percent, quoted } = lab.dom;
  const LEAST = 0.004; // smaller shares would be invisible
  const [CELL, NAMES] = [22, 96];

  function cells(matrix, size, place = 0) {
    return matrix.flatMap((row, i) => row.map((share, j) => ({ share, i, j })))
      .filter(({ share }) => share >= LEAST)
      .map(({ share, i, j }) => draw("rect", {
        x: place + j * size, y: place + i * size, width: size, height: size,
        "fill-opacity": share.toFixed(3),
      }));
  }

  /** A thumbnail of the matrix. */
  function small(matrix) {
    const size = matrix.length;
    const attributes = { viewBox: `0 0 ${size} ${size}`, class: "attention-small" };
    return draw("svg", { ...attributes, "aria-hidden": "true" }, ...cells(matrix, 1));
  }

  function names(tokens) {
    const middle = (i) => NAMES + i * CELL + CELL / 2;
    return tokens.flatMap((token, i) => [
      draw("text", { x: NAMES - 6, y: middle(i), class: "attention-row-name" }, token),
      draw("text", { transform: `translate(${middle(i)} ${NAMES - 6}) rotate(-90)` }, token),
    ]);
  }

  /** The matrix with its tokens; tells ``point`` the row under the pointer. */
  function large(matrix, tokens, point = () => {}) {
    const [side, inner] = [NAMES + matrix.length * CELL + 1, matrix.length * CELL];
    const square = { x: NAMES, y: NAMES, width: inner, height: inner };
    const svg = draw("svg", { width: side, height: side, class: "attention-large" },
      draw("rect", { ...square, class: "attention-grid" }),
      ...cells(matrix, CELL, NAMES),
      ...names(tokens),
      draw("rect", { x: NAMES, height: CELL, class: "attention-frame" }));
    svg.setAttribute("aria-hidden", "true"); // the page has the same as text
    for (const kind of ["pointermove", "click"]) {
      svg.addEventListener(kind, (event) => follow(event, svg, tokens.length, point));
    }
    return svg;
  }

  function follow(event, svg, size, point) {
    const row = Math.floor((event.clientY - svg.getBoundingClientRect().top - NAMES) / CELL);
    if (row >= 0 && row < size) point(row);
  }

  function frame(svg, row) {
    const box = svg.querySelector(".attention-frame");
    box.setAttribute("y", NAMES + row * CELL);
    box.setAttribute("width", (row + 1) * CELL);
  }

  /** A sentence about a token's largest shares. */
  function sentence(row, tokens, asking) {
    const order = [...row.keys()].slice(0, asking + 1).sort((a, b) => row[b] - row[a] || a - b);
    const places = order.slice(0, 3).map((j) =>
      `${j === asking ? "itself" : quoted(tokens[j])} ${percent(row[j])}`);
    return `${quoted(tokens[asking])} looks at ${places.join(", ")}.`;
  }

  return { small, large, frame, sentence };
})();
