"use strict";
// “Inside”: walks a text through the model, stage by stage. A page opens it in an element,
// with all stages or with those that the element names in data-stages. With the numbers of
// lab.inside.given it needs no model.
var lab = lab || {};

lab.inside = (() => {
  const { make, keepArrowKeys, pause } = lab.dom;
  const { Source, address, carriedText, carryText } = lab.insideSource;
  const { Given, pattern } = lab.insideGiven;
  const { StageMap, choices, numbers, tokens } = lab.insideMap;
  const IN_BLOCK = ["attention", "feed-forward"];
  const IN_HEAD = ["scores", "mask", "shares", "mix"];
  const OF_ONE_TOKEN = ["mix", "stream", "active"]; // pointing does not change the token
  const OF_LAST_TOKEN = ["tokens", "logits", "choice"];
  let opened = 0;

  class Inside {
    constructor(root, given) {
      this.root = root;
      this.id = `inside-${opened++}`;
      const names = root.dataset.stages?.split(" ");
      this.compact = Boolean(names);
      this.stages = lab.stages.filter(({ name }) => !names || names.includes(name));
      this.given = given ? new Given(given) : null;
      this.source = given ? null : new Source(lab.sentence);
      this.traces = this.given?.traces ?? { running: this.source.running };
      this.mode = Object.keys(this.traces)[0];
      Object.assign(this, { block: 0, head: 0, row: this.trace.ids.length - 1, column: null });
      this.build();
      this.openFirst();
    }

    get trace() {
      return this.traces[this.mode];
    }

    build() {
      this.map = new StageMap(this.stages, (name) => this.open(name));
      this.map.element.hidden = this.stages.length < 2;
      this.panel = make("div", { className: "inside-panel" });
      this.busy = make("p", { className: "inside-busy", role: "status" });
      const walk = make("div", { className: "inside-walk" }, this.map.element, this.panel);
      this.root.replaceChildren(this.top(), this.busy, walk);
      this.root.classList.toggle("inside-compact", this.compact);
      this.root.hidden = false;
      keepArrowKeys(this.root);
    }

    /** What stands above the stages: differences, the way to the whole page, or the text. */
    top() {
      if (this.given) return this.given.element((array) => this.openArray(array));
      if (!this.compact) return this.form();
      this.link = make("a", {}, "The whole way, and your own sentence");
      return make("p", { className: "inside-heading" },
        make("strong", {}, "Inside the model"), this.link);
    }

    form() {
      this.input = make("input", {
        type: "text", id: `${this.id}-text`, value: this.source.text, maxLength: 200,
        required: true, autocomplete: "off", spellcheck: false,
      });
      const again = make("button", { type: "button" }, "Back to the running sentence");
      again.addEventListener("click", () => this.read(this.source.text));
      const form = make("form", { className: "inside-row" },
        make("label", { htmlFor: this.input.id }, "Text"), this.input,
        make("button", { type: "submit" }, "Walk it through"), again);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.read(this.input.value);
      });
      return form;
    }

    /** Opens what the address names, or the first difference, or the first stage. */
    openFirst() {
      const values = address();
      for (const name of ["block", "head"]) this[name] = Number(values.get(name)) || 0;
      const known = this.stages.find(({ name }) => name === values.get("stage"));
      const [different] = this.given?.first ?? [];
      if (different && !known) this.openArray(different.stage);
      else this.open((known ?? this.stages[0]).name);
      const text = this.given ? null : carriedText();
      if (text && text !== this.source.text) this.read(text);
    }

    /** Opens the stage and the block of an array, such as "h.2.query". */
    openArray(array) {
      const stage = this.stages.find(({ arrays }) => arrays.includes(pattern(array)));
      const block = /^h\.(\d+)\./.exec(array)?.[1];
      if (block) this.block = Number(block);
      if (stage) this.open(stage.name);
    }

    read(text) {
      return this.show(() => this.source.trace(text));
    }

    /** The next round: the text with one more token. */
    append(id) {
      return this.show(() => this.source.traceOf([...this.trace.ids, id]));
    }

    /** Shows another trace; the first one to be computed loads the model. */
    async show(makeTrace) {
      this.root.setAttribute("aria-busy", "true");
      this.busy.textContent = this.source.model ? "" : "Loading the model …";
      await pause();
      try {
        this.traces.running = await makeTrace();
        this.busy.textContent = "";
        this.take(this.trace);
      } catch (error) {
        this.busy.textContent = `Only the running sentence can be shown: ${error.message}.`;
      }
      this.root.setAttribute("aria-busy", "false");
    }

    take({ tokens: parts }) {
      const text = parts.join("");
      carryText(text === this.source.text ? null : text);
      if (this.input) this.input.value = text;
      this.row = parts.length - 1;
      this.column = null;
      this.render();
    }

    open(name) {
      this.stage = this.stages.find((stage) => stage.name === name);
      this.column = null;
      this.map.show(this.stage);
      this.render();
    }

    choose(values) {
      Object.assign(this, values);
      this.render();
    }

    /** Draws the open stage anew; a focused choice stays focused. */
    render() {
      const group = this.panel.contains(document.activeElement) && document.activeElement.name;
      const { layers, heads } = this.trace.sizes;
      this.block = Math.min(this.block, layers - 1);
      this.head = Math.min(this.head, heads - 1);
      if (this.given) this.map.mark((stage) => this.given.mark(stage, this.block));
      this.scene = new lab.insideScene.Scene(this.view());
      this.panel.replaceChildren(this.header(), this.controls(), this.scene.element, this.turns());
      this.scene.pointAt(this.row, this.column);
      if (group) this.panel.querySelector(`[name="${group}"]:checked`)?.focus();
      this.keepAddress();
    }

    view() {
      const { stage, trace, id, compact, block, head, row, given } = this;
      return {
        stage, trace, id, compact, block, head, row,
        model: this.source?.model ?? null,
        choose: (values) => this.choose(values),
        append: given ? null : (token) => this.append(token),
        token: (number) => this.tokenName(number),
        marks: (array) => given?.marks(array, head) ?? [],
        compared: (cell) => given?.compared(cell, this.mode) ?? null,
        moved: (cell) => this.moved(cell),
      };
    }

    /** A token's text where it is known. */
    tokenName(id) {
      const known = this.trace.guesses.flat(2).find((guess) => guess.id === id)?.token;
      const text = known ?? this.source?.tokenizer?.decode([id]);
      return text === undefined ? `token ${id}` : `${lab.token.quoted(text)}, token ${id}`;
    }

    /** Follows the chosen cell with the chosen token. */
    moved({ row, column }) {
      this.column = column;
      if ([...OF_ONE_TOKEN, ...OF_LAST_TOKEN].includes(this.stage.name)) return;
      this.row = row;
      const inputs = this.panel.querySelectorAll(`[name="${this.id}-token"]`);
      if (inputs[row]) inputs[row].checked = true;
    }

    /** The stage's name and what happens in it; in a chapter, tabs may have the name. */
    header() {
      const { stage, stages, given, compact } = this;
      const header = make("header", {}, make("p", { className: "inside-text" }, stage.says));
      if (!compact || stages.length === 1) header.prepend(make("h2", {}, stage.title));
      if (!compact) {
        const place = `${stages.indexOf(stage) + 1} of ${stages.length} · `;
        header.prepend(make("p", { className: "inside-place" }, place, this.chapter(stage)));
      }
      const found = given?.of(stage, this.block) ?? [];
      header.append(...found.map(({ sentence }) => make("p", { className: "inside-wrong" }, sentence)));
      const missing = this.mode === "mine" && given ? given.missing(stage, this.block) : [];
      header.append(...missing.map((text) => make("p", { className: "inside-note" }, text)));
      return header;
    }

    /** The step that builds a stage: a link to its chapter, or whose it is. */
    chapter({ step }) {
      const isStep = /^\d+$/.test(step);
      const name = isStep ? `step ${step}` : `encore ${step}`;
      if (this.given) return `${name}${this.given.owner(step)}`;
      const page = isStep ? `step_${step}` : `encore_${step}`;
      return make("a", { href: `${page}.html${this.textInAddress("#")}` }, name);
    }

    controls() {
      const { trace, stage, id } = this;
      const { layers, heads } = trace.sizes;
      const row = make("div", { className: "inside-controls" });
      if (this.given?.modes.length > 1) {
        const modes = Object.keys(this.traces);
        row.append(choices("Numbers", `${id}-mode`, this.given.modes, modes.indexOf(this.mode),
          (i) => this.choose({ mode: modes[i] })));
      }
      if (IN_BLOCK.includes(stage.part)) {
        row.append(numbers("Block", `${id}-block`, layers, this.block, (block) => this.choose({ block })));
      }
      if (IN_HEAD.includes(stage.name)) {
        row.append(numbers("Head", `${id}-head`, heads, this.head, (head) => this.choose({ head })));
      }
      if (!OF_LAST_TOKEN.includes(stage.name)) {
        row.append(tokens(trace, `${id}-token`, this.row, (t) => this.choose({ row: t })));
      }
      return row;
    }

    /** The buttons to the stages before and after. */
    turns() {
      const place = this.stages.indexOf(this.stage);
      const turn = (stage, text, className) => {
        if (!stage) return "";
        const button = make("button", { type: "button", className },
          make("span", {}, text), stage.title);
        button.addEventListener("click", () => {
          this.open(stage.name);
          this.panel.querySelector("h2").scrollIntoView({ block: "nearest" });
        });
        return button;
      };
      return make("div", { className: "inside-turns" },
        turn(this.stages[place - 1], "Before", "inside-back"),
        turn(this.stages[place + 1], "Next", "inside-next"));
    }

    textInAddress(mark) {
      const text = this.trace.tokens.join("");
      return text === this.source?.text ? "" : `${mark}text=${encodeURIComponent(text)}`;
    }

    keepAddress() {
      const place = `#stage=${this.stage.name}&block=${this.block}&head=${this.head}`;
      const full = place + (this.given ? "" : this.textInAddress("&"));
      if (this.link) this.link.href = `inside.html${full}`;
      else if (this.scene && this.begun) history.replaceState(null, "", full);
      this.begun = true; // the page's own address stays until the reader does something
    }
  }

  /** Opens the view in an element; returns it. */
  const open = (root) => new Inside(root, lab.inside.given);

  return { Inside, open, given: null };
})();

for (const root of document.querySelectorAll(".inside[data-open]")) {
  lab.page = lab.inside.open(root);
}
