"use strict";
// All heads of all blocks as small pictures of their shares; a press chooses one.
var lab = lab || {};

lab.views.shares = (() => {
  const { make, draw } = lab.dom;
  const { range } = lab.sheet;
  const LEAST = 0.004; // smaller shares would be invisible

  /** A small picture of a head's shares [T, T]. */
  function picture({ trace }, block, head) {
    const length = trace.ids.length;
    const share = (row, column) =>
      lab.cells.valueOf(trace, { name: `h.${block}.shares`, head, row, column });
    const cells = range(0, length).flatMap((i) => range(0, i + 1)
      .filter((j) => share(i, j) >= LEAST)
      .map((j) => draw("rect", {
        x: j, y: i, width: 1, height: 1, "fill-opacity": share(i, j).toFixed(3),
      })));
    return draw("svg", { viewBox: `0 0 ${length} ${length}`, "aria-hidden": "true" }, ...cells);
  }

  function button(scene, block, head) {
    const input = make("input", {
      type: "radio", name: `${scene.id}-picture`,
      checked: block === scene.block && head === scene.head,
      ariaLabel: `block ${block}, head ${head}`,
    });
    input.addEventListener("change", () => scene.choose({ block, head }));
    return make("label", {}, input, picture(scene, block, head),
      make("span", { "aria-hidden": "true" }, `${block} · ${head}`));
  }

  function allHeads(scene) {
    const { layers, heads } = scene.trace.sizes;
    const buttons = range(0, layers).flatMap((block) =>
      range(0, heads).map((head) => button(scene, block, head)));
    const group = make("fieldset", { className: "inside-heads" },
      make("legend", {}, "All heads: block · head"), ...buttons);
    group.style.setProperty("--heads", heads);
    return group;
  }

  return (scene) => [
    ...lab.views.equation(scene),
    ...(scene.compact ? [] : [allHeads(scene)]),
  ];
})();
