"use strict";
// What each stage shows. A view is a function of a scene that returns elements. The scene
// has the trace, the chosen block, head and row, and makes grids: scene.grid(pattern).
var lab = lab || {};

lab.views = (() => {
  const { make, percent, written } = lab.dom;
  const { chip, quoted } = lab.token;
  const { range } = lab.sheet;
  const SIGNS = { "+": "plus", "=": "gives", "→": "becomes", "·": "times", "Σ": "added up" };

  /** A stage's arrays with the signs between them, as `shows` lists them. */
  function equation(scene, shows = scene.stage.shows) {
    const sums = shows.includes("+");
    const parts = shows.map((item) => (item in SIGNS ? sign(item) : scene.grid(item, { sums })));
    return [make("div", { className: "inside-equation" }, ...parts)];
  }

  function sign(text) {
    return make("p", { className: "inside-sign", role: "img", "aria-label": SIGNS[text] }, text);
  }

  const note = (...children) => make("p", { className: "inside-note" }, ...children);

  /** A table with a name. */
  function table(caption, head, rows) {
    const header = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
    return make("div", { className: "table-wrapper scroll" },
      make("table", { className: "inside-table" }, make("caption", {}, caption),
        make("thead", {}, header), make("tbody", {}, ...rows)));
  }

  const tableRow = (name, ...cells) =>
    make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((c) => make("td", {}, c)));

  /** A share as a bar with its percentage. */
  function bar(share) {
    const element = make("span", { className: "inside-bar" }, percent(share));
    element.style.setProperty("--share", share);
    return element;
  }

  /** The text in its pieces, each with its position and its id. */
  function tokens({ trace }) {
    const fact = (name, value) => make("span", {}, `${name} `, make("strong", {}, String(value)));
    const pieces = trace.ids.map((id, t) =>
      make("li", {}, chip(trace.tokens[t]), fact("position", t), fact("id", id)));
    return [
      make("ol", { className: "inside-cut", ariaLabel: "The tokens" }, ...pieces),
      note("The mark · stands for a space. A token keeps the space before it."),
    ];
  }

  /** The rows that are looked up, each with its number in the table. */
  const looked = (name, number) => (scene) => {
    const beside = (t) =>
      make("span", { className: "inside-number" }, `row ${number(scene.trace, t)}`);
    return [scene.grid(name, { look: { beside } })];
  };

  /** The mix of values of one head: the shares of the asking token, and what each brings. */
  function mix(scene) {
    const { trace, block, head, row } = scene;
    const at = `h.${block}.`;
    const name = `${at}shares`;
    const share = (j) => lab.cells.valueOf(trace, { name, head, row, column: j });
    const shares = scene.grid(name);
    const rows = { to: row + 1, sums: true };
    const beside = (j) => bar(share(j));
    const values = scene.grid(`${at}value[head]`, rows);
    const parts = scene.grid(`${at}parts[head]`, { ...rows, look: { beside } });
    const sum = scene.grid(`${at}mixed[head]`, { from: row, to: row + 1, sums: true });
    const asking = note("What ", chip(trace.tokens[row]), " takes from each token:");
    return [shares, asking, values, sign("→"), parts, sign("Σ"), sum];
  }

  function joined(scene) {
    const { heads } = scene.trace.sizes;
    return [...equation(scene),
      note(`A row of mixed values has ${heads} parts. From the left: heads 0 to ${heads - 1}.`)];
  }

  /** The hidden units that fire most, for the chosen token. */
  function firing(scene) {
    const { trace, block, row } = scene;
    const units = lab.trace.row(trace.arrays[`h.${block}.active`], row);
    const on = units.filter((x) => x > 0.1).length;
    const best = Array.from(units.keys()).sort((a, b) => units[b] - units[a]).slice(0, 5);
    const list = best.map((unit) => `unit ${unit} (${written(units[unit])})`).join(", ");
    return [
      ...equation(scene),
      note(`For ${quoted(trace.tokens[row])}, ${on} of ${units.length} units are above 0.1. `,
        `The strongest: ${list}.`),
    ];
  }

  /** The stream of one token after each block, with the early guesses. */
  function stream(scene) {
    const { trace, row } = scene;
    const { layers } = trace.sizes;
    const names = ["h.0.in", ...range(0, layers).map((i) => `h.${i}.out`)];
    const look = (i) => ({
      title: i ? `after block ${i - 1}` : "token and position",
      aside: guess(trace.guesses[i][row][0]),
    });
    const grids = names.map((name, i) =>
      scene.grid(name, { from: row, to: row + 1, sums: true, look: look(i) }));
    return [...grids, guesses(trace), lens(scene)];
  }

  const guess = ({ token, p }) =>
    make("span", { className: "inside-guess" }, chip(token), bar(p));

  function guesses({ tokens: texts, guesses: all }) {
    const rows = all.map((row, i) =>
      tableRow(i ? `block ${i - 1}` : "before", ...row.map(([best]) => guess(best))));
    const caption = "The likeliest next token, for every position";
    return table(caption, ["after", ...texts.map(chip)], rows);
  }

  function lens({ compact }) {
    const text = "The last normalization and the head read the stream early here. They were " +
      "trained for the last stream alone. So an early guess shows which way the stream " +
      "already points; it does not show what the model holds there in another form.";
    return compact ? note("These guesses are made with the head, before its time.") : note(text);
  }

  /** The likeliest tokens with their logits. */
  function likeliest(scene) {
    const { trace } = scene;
    const logits = lab.trace.row(trace.arrays.logits, 0);
    const rows = trace.guesses.at(-1).at(-1).map(({ id, token }) =>
      tableRow(chip(token), String(id), written(logits[id])));
    return [...equation(scene), table("The highest logits", ["token", "id", "logit"], rows)];
  }

  return {
    tokens, mix, stream, attn: joined, active: firing, logits: likeliest,
    token: looked("wte", ({ ids }, t) => ids[t]), place: looked("wpe", (_, t) => t),
    equation, table, tableRow, bar, note, sign,
  };
})();
