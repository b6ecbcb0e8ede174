"use strict";
// The text, one button for each token, with what it repeats.
var lab = lab || {};

lab.viewText = (() => {
  const { find, make, arrowKeys, stopAt, quoted } = lab.dom;

  /** A token as it stands in the text; line ends are shown and obeyed. */
  function written(tokenizer, id) {
    const text = tokenizer.decode([id]);
    const readable = !text.includes("\uFFFD") && !text.startsWith("<|");
    return readable ? text.replaceAll("\n", "↵\n") : tokenizer.show(id);
  }

  function button(tokenizer, id, { place, opening, repeated }) {
    const kind = place < opening ? "lab-given" : "lab-written";
    return make("button", {
      type: "button",
      className: `lab-token ${kind} ${repeated ? "lab-repeated" : ""}`,
      textContent: written(tokenizer, id),
      title: place ? "Back to the place before this token" : "",
      disabled: place === 0,
    });
  }

  /** What the marks mean, in words. */
  function repetition(tokenizer, ids, marks) {
    const { SEQUENCE, circle } = lab.statistics;
    const marked = marks.filter(Boolean).length;
    if (!marked) return `No sequence of ${SEQUENCE} tokens is repeated.`;
    const all = `${marked} of ${ids.length} tokens belong to a sequence of ${SEQUENCE} ` +
      "that was in the text before: they are marked.";
    const end = circle(ids);
    if (!end) return all;
    const words = tokenizer.decode(ids.slice(-end.length)).replaceAll("\n", "↵");
    return `${all} The text ends in a circle: ${quoted(words)} stands there ` +
      `${end.times} times in a row.`;
  }

  /** Returns the function that shows a session. */
  function viewText(tokenizer, cut) {
    const root = find("lab-text");
    arrowKeys(root);
    root.addEventListener("click", (event) => {
      const place = [...root.children].indexOf(event.target.closest("button"));
      if (place > 0) cut(place);
    });
    return ({ ids, opening }) => {
      const marks = lab.statistics.repeated(ids);
      const tokens = ids.map((id, place) =>
        button(tokenizer, id, { place, opening, repeated: marks[place] }));
      root.replaceChildren(...tokens);
      if (tokens.length > 1) stopAt(root, tokens.at(-1));
      find("lab-loop").textContent = repetition(tokenizer, ids, marks);
    };
  }

  return { viewText };
})();
