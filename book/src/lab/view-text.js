"use strict";
// The text, with one button for each token and marks on repetition.
var lab = lab || {};

lab.viewText = (() => {
  const { find, make, arrowKeys, stopAt, quoted } = lab.dom;

  /** A token's button, with the space before it and the line break after it. */
  function written(tokenizer, id, className) {
    const name = tokenizer.show(id);
    const space = name.length > 1 && name.startsWith("·") ? " " : "";
    const button = make("button", {
      type: "button",
      className,
      title: "Back to the place before this token",
    }, name.slice(space.length));
    return [space, button, name.endsWith("↵") ? "\n" : ""];
  }

  /** The tokens of prompt and text. */
  function tokens(tokenizer, { ids, opening }, marks) {
    return ids.flatMap((id, place) => {
      const kind = place < opening ? "lab-token lab-given" : "lab-token";
      const mark = marks[place] ? "lab-repeated" : "";
      return written(tokenizer, id, `${kind} ${mark}`);
    });
  }

  /** A sentence about the marks. */
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
      if (place > 0) cut(place); // the model needs at least one token
    });
    return (session) => {
      const marks = lab.statistics.repeated(session.ids);
      root.replaceChildren(...tokens(tokenizer, session, marks));
      stopAt(root, root.lastElementChild);
      find("lab-loop").textContent = repetition(tokenizer, session.ids, marks);
    };
  }

  return { viewText };
})();
