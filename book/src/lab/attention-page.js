"use strict";
// The attention page: a sentence, a head, and the token that looks.
var lab = lab || {};

lab.AttentionPage = class {
  constructor({ layers, heads, sentences, targets }) {
    this.sizes = { layers, heads };
    this.sentences = sentences.map((s) => lab.attentionShares.unpack(s, layers, heads));
    this.targets = targets;
    this.choice = { layer: 0, head: 0 };
    this.text = lab.dom.find("attention-text");
    this.listen();
    this.open(0);
  }

  listen() {
    const { find, make, arrowKeys, keepArrowKeys } = lab.dom;
    const select = find("attention-sentence");
    const texts = this.sentences.map(({ tokens }) => tokens.join(""));
    select.append(...texts.map((text, value) => make("option", { value }, text)));
    select.addEventListener("change", () => this.open(select.value));
    arrowKeys(this.text);
    for (const kind of ["pointerover", "focusin", "click"]) {
      this.text.addEventListener(kind, ({ target }) => {
        const button = target.closest("button");
        if (button) this.ask([...this.text.children].indexOf(button));
      });
    }
    keepArrowKeys(find("attention"));
  }

  open(number) {
    const { make, find, stopAt } = lab.dom;
    this.sentence = this.sentences[number];
    const buttons = this.sentence.tokens.map((token) =>
      make("button", { type: "button", className: "attention-token" },
        make("span", {}, token), make("span", { className: "attention-share" })));
    this.text.replaceChildren(...buttons);
    stopAt(this.text, buttons.at(-1));
    this.asking = buttons.length - 1;
    find("attention-heads").replaceChildren(...this.headButtons());
    this.choose(this.choice);
  }

  /** A row of heads for each block, the average of each, and that of all. */
  headButtons() {
    const { layers, heads } = this.sizes;
    const rows = Array.from({ length: layers }, (_, layer) =>
      [...Array(heads).keys(), "all"].map((head) => ({ layer, head })));
    return [...rows.flat(), { layer: "all", head: "all" }].map((choice) => this.headButton(choice));
  }

  headButton(choice) {
    const { make } = lab.dom;
    const input = make("input", { type: "radio", name: "head" });
    input.checked = String(Object.values(choice)) === String(Object.values(this.choice));
    input.addEventListener("change", () => this.choose(choice));
    const drawing = lab.attentionMatrix.small(lab.attentionShares.matrix(this.sentence, choice));
    return make("label", {}, input, drawing, make("span", {}, this.nameOf(choice)));
  }

  nameOf({ layer, head }) {
    if (layer === "all") return "average of all";
    return `block ${layer}, ${head === "all" ? "average" : `head ${head}`}`;
  }

  choose(choice) {
    this.choice = choice;
    this.matrix = lab.attentionShares.matrix(this.sentence, choice);
    const { tokens } = this.sentence;
    this.drawing = lab.attentionMatrix.large(this.matrix, tokens, (row) => this.ask(row));
    lab.dom.find("attention-matrix").replaceChildren(this.drawing);
    this.showTargets();
    this.ask(this.asking);
  }

  /** Shows where a token looks. */
  ask(asking) {
    this.asking = asking;
    const row = this.matrix[asking];
    [...this.text.children].forEach((button, place) => {
      button.style.setProperty("--share", row[place]);
      button.classList.toggle("attention-asking", place === asking);
      button.setAttribute("aria-pressed", place === asking);
      const share = place <= asking ? `${Math.round(100 * row[place])}\u00a0%` : "";
      button.lastChild.textContent = share;
    });
    lab.attentionMatrix.frame(this.drawing, asking);
    const words = lab.attentionMatrix.sentence(row, this.sentence.tokens, asking);
    lab.dom.find("attention-says").textContent = `${this.nameOf(this.choice)}: ${words}`;
  }

  showTargets() {
    const { find, make, percent } = lab.dom;
    const names = ["the token itself", "the token before", "the first token", "all others"];
    const all = { layer: "all", head: "all" };
    const columns = [this.choice, all].map((c) => lab.attentionShares.targets(this.targets, c));
    const rows = names.map((name, i) =>
      make("tr", {}, make("th", { scope: "row" }, name),
        ...columns.map((column) => make("td", {}, percent(column[i])))));
    find("attention-targets").tBodies[0].replaceChildren(...rows);
  }
};

lab.dom.find("attention").hidden = false;
lab.page = new lab.AttentionPage(lab.attention);
