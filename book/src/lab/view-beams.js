"use strict";
// The beam search: its settings, the finished texts and the tree.
var lab = lab || {};

lab.viewBeams = (() => {
  const { find, make, signed, quoted } = lab.dom;

  class Beams {
    constructor({ tokenizer, source, recording }) {
      Object.assign(this, { tokenizer, source, endOfText: recording.endOfText });
      this.form = find("lab-beam-settings");
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.search();
      });
      this.form.addEventListener("input", () => {
        this.showSettings();
        if (!find("lab-beams").hidden) this.search();
      });
      this.showSettings();
    }

    /** Takes another text and removes the results of the old one. */
    show({ ids }) {
      this.ids = ids;
      find("lab-beams").hidden = true;
      find("lab-beam-note").textContent = "";
    }

    set(values) {
      for (const [name, value] of Object.entries(values)) this.form.elements[name].value = value;
      this.showSettings();
    }

    showSettings() {
      for (const input of this.form.querySelectorAll("input")) {
        this.form.querySelector(`output[for="${input.id}"]`).value = input.value;
      }
    }

    options(changes = {}) {
      const { numBeams, maxNewTokens, lengthPenalty } = this.form.elements;
      return {
        numBeams: numBeams.valueAsNumber,
        maxNewTokens: maxNewTokens.valueAsNumber,
        lengthPenalty: lengthPenalty.valueAsNumber,
        eosTokenId: this.endOfText,
        ...changes,
      };
    }

    run(changes) {
      const nextLogits = (ids) => this.source.next(ids).logits;
      return lab.beams.beamSearch(nextLogits, this.ids, this.options(changes));
    }

    search() {
      const room = this.source.room(this.ids);
      if (!this.source.model || room < this.options().maxNewTokens) {
        find("lab-beam-note").textContent = "The model cannot search here: " +
          "it is not loaded yet, or the text is as long as it can read.";
        return;
      }
      const { finished, steps } = this.run();
      const greedy = this.run({ numBeams: 1 }).finished[0];
      this.showTexts(finished, greedy);
      this.showTree(steps, finished[0]);
      find("lab-beams").hidden = false;
    }

    showTexts(finished, greedy) {
      const same = greedy.ids.join() === finished[0].ids.join();
      find("lab-beam-note").textContent = same
        ? "Greedy choice finds the same text."
        : `Greedy choice finds ${quoted(this.words(greedy))}, with a sum of ${signed(greedy.sum)}.`;
      const items = finished.map((text) =>
        make("li", {},
          make("q", {}, this.words(text)),
          make("span", {}, `sum ${signed(text.sum)}, ${text.length} tokens, `,
            make("strong", {}, `text score ${signed(text.score, 3)}`))));
      find("lab-finished").replaceChildren(...items);
    }

    showTree(steps, winner) {
      const token = (id) => this.tokenizer.show(id);
      find("lab-tree").replaceChildren(lab.viewTree.tree(steps, winner, token));
      const text = (candidate) => this.words(candidate);
      find("lab-tree-list").replaceChildren(...lab.viewTree.list(steps, winner, text));
    }

    /** The new tokens of a text. */
    words({ ids }) {
      return ids.slice(this.ids.length).map((id) => this.tokenizer.show(id)).join("")
        .replaceAll("·", " ").trim();
    }
  }

  return { Beams };
})();
