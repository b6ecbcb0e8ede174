"use strict";
// The attention page: the reader chooses a sentence, a head and a token.
var lab = lab || {};

lab.attentionPage = (() => {
  const { find, make, percent, arrowKeys, keepArrowKeys, stopAt } = lab.dom;
  const { matrix, targets, unpack } = lab.attentionShares;
  const { small, large, frame, sentence } = lab.attentionMatrix;
  const ALL = { layer: "all", head: "all" };
  const TARGETS = ["the token itself", "the token before", "the first token", "all others"];

  /** A token without the space before it. */
  const shown = (token) => token.trim() || "␣";

  function names({ layer, head }) {
    if (layer === "all") return ["all heads", "average"];
    return [`block ${layer}`, head === "all" ? "average" : `head ${head}`];
  }

  /** For each block a row of its heads and their average; then the average of all. */
  function choices(layers, heads) {
    const row = (layer) => [...Array(heads).keys(), "all"].map((head) => ({ layer, head }));
    return [...Array.from({ length: layers }, (_, layer) => row(layer)).flat(), ALL];
  }

  class AttentionPage {
    constructor({ layers, heads, sentences, targets: table, start }) {
      this.sentences = sentences.map((packed) => unpack(packed, layers, heads));
      this.choices = choices(layers, heads);
      this.targets = table;
      this.choice = start;
      this.text = find("attention-text");
      this.listen();
      this.open(0);
    }

    listen() {
      const select = find("attention-sentence");
      const texts = this.sentences.map(({ tokens }) => tokens.join(""));
      select.append(...texts.map((text, value) => make("option", { value }, text)));
      select.addEventListener("change", () => this.open(select.value));
      arrowKeys(this.text);
      for (const kind of ["pointerover", "focusin", "click"]) {
        this.text.addEventListener(kind, ({ target }) => {
          const place = [...this.text.children].indexOf(target.closest("button"));
          if (place >= 0) this.ask(place);
        });
      }
      keepArrowKeys(find("attention"));
    }

    open(number) {
      const { tokens, shares } = this.sentences[number];
      this.tokens = tokens.map(shown);
      this.shares = shares;
      const buttons = this.tokens.map((token) =>
        make("button", { type: "button", className: "attention-token" },
          make("span", {}, token), make("span", { className: "attention-share" })));
      this.text.replaceChildren(...buttons);
      stopAt(this.text, buttons.at(-1));
      this.asking = buttons.length - 1;
      find("attention-heads").replaceChildren(...this.choices.map((c) => this.headButton(c)));
      this.choose(this.choice);
    }

    headButton(choice) {
      const input = make("input", { type: "radio", name: "head" });
      input.checked = names(choice).join() === names(this.choice).join();
      input.addEventListener("change", () => this.choose(choice));
      const words = names(choice).map((name) => make("span", {}, name));
      return make("label", {}, input, small(matrix(this.shares, choice)), ...words);
    }

    choose(choice) {
      this.choice = choice;
      this.matrix = matrix(this.shares, choice);
      this.drawing = large(this.matrix, this.tokens, (row) => this.ask(row));
      find("attention-matrix").replaceChildren(this.drawing);
      this.showTargets();
      this.ask(this.asking);
    }

    /** Shows a token's shares. */
    ask(asking) {
      this.asking = asking;
      const row = this.matrix[asking];
      [...this.text.children].forEach((button, place) => {
        button.style.setProperty("--share", row[place]);
        button.setAttribute("aria-pressed", place === asking);
        const share = place <= asking ? `${Math.round(100 * row[place])}\u00a0%` : "";
        button.lastChild.textContent = share;
      });
      frame(this.drawing, asking);
      const words = sentence(row, this.tokens, asking);
      find("attention-says").textContent = `In ${names(this.choice).join(", ")}, ${words}`;
    }

    showTargets() {
      const columns = [this.choice, ALL].map((choice) => targets(this.targets, choice));
      const rows = TARGETS.map((name, i) =>
        make("tr", {}, make("th", { scope: "row" }, name),
          ...columns.map((column) => make("td", {}, percent(column[i])))));
      find("attention-targets").tBodies[0].replaceChildren(...rows);
    }
  }

  return { AttentionPage };
})();

lab.dom.find("attention").hidden = false;
lab.page = new lab.attentionPage.AttentionPage(lab.attention);
