"use strict";
// “Inside”: walks a text through the model, stage by stage. A page opens it in an element,
// with all stages or with those that the element names in data-stages. With the numbers of
// lab.inside.given it needs no model.
var lab = lab || {};

lab.inside = (() => {
  const { make, keepArrowKeys, pause } = lab.dom;
  const { Source, MOST, address, carriedText, carryText } = lab.insideSource;
  const { Given, pattern } = lab.insideGiven;
  const { StageMap } = lab.insideMap;
  const { header, controls, turns, TextForm } = lab.insideHead;
  // Stages of one chosen token: pointing at another row does not choose its token.
  const KEEPS_TOKEN = ["mix", "stream", "active", "logits"];
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
      Object.assign(this, { block: 0, head: 0, row: this.trace.ids.length - 1 });
      this.forget();
      this.build();
      this.openFirst();
      if (!this.compact) window.addEventListener("hashchange", () => this.openFirst());
    }

    get trace() {
      return this.traces[this.mode];
    }

    build() {
      this.map = new StageMap(this.stages, (name) => this.open(name));
      this.map.element.hidden = this.stages.length < 2;
      // A screen reader follows an element that stays, so only the contents are replaced.
      this.says = make("div", { className: "inside-says", role: "status" });
      const slot = (name) => make("div", { className: `inside-${name}` });
      this.slots = [slot("head"), slot("scene"), slot("turns")];
      const [head, scene, ways] = this.slots;
      this.panel = make("div", { className: "inside-panel" }, head, scene, this.says, ways);
      this.busy = make("p", { className: "inside-busy", role: "status" });
      this.form = this.given ? null : new TextForm(this.source.text, (text) => this.read(text));
      const walk = make("div", { className: "inside-walk" }, this.map.element, this.panel);
      this.root.replaceChildren(this.top(), this.busy, walk);
      this.root.classList.toggle("inside-compact", this.compact);
      this.root.hidden = false;
      keepArrowKeys(this.root);
    }

    /** What stands above the stages: differences, the way to the whole page, or the text. */
    top() {
      if (this.given) return this.given.element((difference) => this.openDifference(difference));
      if (!this.compact) return this.form.element;
      this.link = make("a", {}, "The whole way, and your own sentence");
      const name = make("strong", {}, "Inside the model");
      return make("p", { className: "inside-heading" }, name, this.link, this.form.again);
    }

    /** Opens what the address names, or the first difference, or the first stage. */
    openFirst() {
      const values = address();
      for (const name of ["block", "head"]) this[name] = Number(values.get(name)) || 0;
      const known = this.stages.find(({ name }) => name === values.get("stage"));
      const [different] = this.given?.first ?? [];
      if (different && !known) this.openDifference(different);
      else this.open((known ?? this.stages[0]).name);
      const text = this.given ? null : carriedText();
      if (text && text !== this.source.text) this.read(text);
    }

    /** Opens a difference's stage, block and head, at its first wrong cell. */
    openDifference({ stage: array, cells: [first] }) {
      const stage = this.stages.find(({ arrays }) => arrays.includes(pattern(array)));
      const { heads, channels } = this.trace.sizes;
      this.block = Number(/^h\.(\d+)\./.exec(array)?.[1] ?? this.block);
      const [row, column] = first?.at.slice(-2) ?? [this.row, null];
      if (first?.at.length === 3) this.head = first.at[0];
      else if (stage.name === "mix") this.head = Math.floor((column * heads) / channels);
      this.open(stage.name);
      this.choose({ row, column, last: array.split(".").at(-1) });
    }

    /** Forgets the chosen cell, so that a stage chooses one. */
    forget() {
      Object.assign(this, { column: null, last: null });
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
        this.busy.textContent = this.trace.cut ? `Only ${MOST} tokens fit here.` : "";
        this.take(this.trace);
      } catch (error) {
        this.busy.textContent = `Only the running sentence can be shown: ${error.message}.`;
      }
      this.root.setAttribute("aria-busy", "false");
    }

    take({ text, ids }) {
      carryText(text === this.source.text ? null : text);
      this.form.show(text);
      this.row = ids.length - 1;
      this.forget();
      this.render();
    }

    open(name) {
      this.stage = this.stages.find((stage) => stage.name === name);
      this.forget();
      this.map.show(this.stage);
      this.render();
    }

    choose(values) {
      Object.assign(this, values);
      this.render();
    }

    /** Draws the open stage anew; a control that has the focus keeps it. */
    render() {
      const focused = this.panel.contains(document.activeElement) && document.activeElement.name;
      const { layers, heads } = this.trace.sizes;
      this.block = Math.min(this.block, layers - 1);
      this.head = Math.min(this.head, heads - 1);
      if (this.given) this.map.mark((stage) => this.given.mark(stage, this.block));
      this.scene = new lab.insideScene.Scene(this.view());
      const contents = [[header(this), controls(this)], this.scene.parts, turns(this)];
      this.slots.forEach((slot, i) => slot.replaceChildren(...contents[i]));
      this.scene.pointAt(this);
      if (focused) this.focus(focused);
      this.keepAddress();
    }

    /** Focuses a control by its name; of several choices, the one that is taken. */
    focus(name) {
      const kinds = [`input[name="${name}"]:checked`, `button[name="${name}"]`];
      this.panel.querySelector(kinds.join())?.focus({ preventScroll: true });
    }

    view() {
      const { stage, trace, id, compact, block, head, row, given, says } = this;
      return {
        stage, trace, id, compact, block, head, row, says,
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
    moved({ name, row, column }) {
      Object.assign(this, { column, last: name.split(".").at(-1) });
      if (KEEPS_TOKEN.includes(this.stage.name)) return;
      this.row = row;
      const inputs = this.panel.querySelectorAll(`[name="${this.id}-token"]`);
      if (inputs[row]) inputs[row].checked = true;
    }

    textInAddress(mark) {
      const { text } = this.trace;
      return text === this.source.text ? "" : `${mark}text=${encodeURIComponent(text)}`;
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
