"use strict";
// The last stage: probabilities, and the choice that begins the next round.
var lab = lab || {};

lab.views.choice = (() => {
  const { make, percent, written } = lab.dom;
  const { chip, quoted } = lab.token;
  const { bar, note } = lab.views;

  /** One draw by the probabilities [V]. */
  function drawn(p) {
    let rest = Math.random();
    return Math.max(0, p.findIndex((share) => (rest -= share) < 0));
  }

  function choose(scene, name, text, id) {
    const button = make("button", { type: "button", name }, text);
    button.addEventListener("click", () => scene.append(id()));
    return button;
  }

  function option(scene, logits, { id, token, p }) {
    const button = make("button", { type: "button" }, chip(token), bar(p));
    button.setAttribute("aria-label", `${quoted(token)}, ${percent(p)}: append it`);
    const sum = `e^${written(logits[id])} / (the sum over all tokens) = ${percent(p)}`;
    for (const kind of ["pointerenter", "focus"]) {
      button.addEventListener(kind, () => scene.say(`Probability of ${quoted(token)}`, p, sum));
    }
    button.addEventListener("click", () => scene.append(id));
    return make("li", {}, button);
  }

  return (scene) => {
    const { trace } = scene;
    const logits = lab.trace.row(trace.arrays.logits, 0);
    const p = lab.decoding.softmax(logits);
    const best = trace.guesses.at(-1).at(-1);
    const others = 1 - best.reduce((sum, guess) => sum + guess.p, 0);
    const list = best.map((guess) => option(scene, logits, guess));
    const first = best[0];
    scene.say(`Probability of ${quoted(first.token)}`, first.p,
      `e^${written(logits[first.id])} / (the sum over all tokens) = ${percent(first.p)}`);
    return [
      make("ol", { className: "inside-options", ariaLabel: "The likeliest next tokens" }, ...list),
      note(`All other tokens together: ${percent(Math.max(0, others))}.`),
      ...(scene.append ? [make("p", { className: "inside-row" },
        choose(scene, "append", "Append the likeliest", () => first.id),
        choose(scene, "draw", "Draw one and append it", () => drawn(p)))] : []),
    ];
  };
})();
