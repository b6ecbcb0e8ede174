"use strict";
// The tokens that each filter keeps, and statistics of the distribution.
var lab = lab || {};

lab.viewSurvivors = (() => {
  const { find, make, count, percent } = lab.dom;

  const finite = (logits) => logits.reduce((n, x) => n + (x > -Infinity), 0);

  /** A list: the vocabulary, then each filter with the tokens that it keeps. */
  function showStages(size, stages) {
    const left = [{ name: "vocabulary", tokens: size }].concat(
      stages.map(({ name, logits }) => ({
        name: lab.viewBars.NAMES[name],
        tokens: finite(logits),
      })),
    );
    const items = left.map(({ name, tokens }, i) =>
      make("li", { className: i && tokens < left[i - 1].tokens ? "lab-fewer" : "" },
        make("span", {}, name), " ", make("strong", {}, count(tokens))));
    find("lab-stages").replaceChildren(...items);
  }

  /** The table's rows: name, value before and value after. */
  function summary(before, after) {
    const [first, second] = [before, after].map((p) => lab.statistics.survivors(before, p));
    return [
      ["tokens", count(first.count), count(second.count)],
      ["part of the model’s probability", percent(first.mass), percent(second.mass)],
      ["entropy, in nats", first.entropy.toFixed(2), second.entropy.toFixed(2)],
      ["effective choices (e to the entropy)", first.choices.toFixed(1), second.choices.toFixed(1)],
    ];
  }

  function show({ before, after, stages }) {
    showStages(before.length, stages);
    const rows = summary(before, after).map(([name, ...values]) =>
      make("tr", {}, make("th", { scope: "row" }, name), ...values.map((v) => make("td", {}, v))));
    find("lab-summary").tBodies[0].replaceChildren(...rows);
  }

  /** A sentence with the same content for screen readers. */
  function sentence({ before, after }) {
    const { count: left, choices } = lab.statistics.survivors(before, after);
    return `${count(left)} tokens are left, as unsure as ${choices.toFixed(1)} equal choices.`;
  }

  return { show, sentence };
})();
