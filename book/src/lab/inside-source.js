"use strict";
// Where a text's trace comes from, and the text that a reader carries from page to page.
var lab = lab || {};

lab.insideSource = (() => {
  const KEY = "inside.text";
  const MOST = 32; // tokens; more do not fit on a screen
  const SCRIPTS = ["tokenizer.js", "data/recording.js", "data/weights.js"];

  /** The values after # in the page's address. */
  const address = () => new URLSearchParams(location.hash.slice(1));

  /** The reader's own text, from the address or from an earlier page; null without one. */
  function carriedText() {
    return address().get("text") || remembered();
  }

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // the browser keeps nothing for this page
    }
  }

  /** Keeps a text for the other pages; null forgets it. */
  function carryText(text) {
    try {
      if (text === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, text);
    } catch {
      // The links still carry the text.
    }
  }

  class Source {
    constructor(recording) {
      this.running = lab.trace.recorded(recording);
      this.text = this.running.text; // the running sentence
      this.model = null;
      this.tokenizer = null;
    }

    /** Loads the model once. */
    load() {
      this.loading ??= this.loadScripts().catch((error) => {
        this.loading = null; // the reader may try again
        throw error;
      });
      return this.loading;
    }

    async loadScripts() {
      await Promise.all(SCRIPTS.map((name) => lab.dom.loadScript(`lab/${name}`)));
      this.tokenizer = new lab.tokenizer.Tokenizer(lab.recording);
      this.model = new lab.model.GPT2(lab.weights);
    }

    /** The trace of a text of at least one token; of a long text, its beginning. */
    async trace(text) {
      if (text === this.text) return this.running;
      await this.load();
      return this.traceOf(this.tokenizer.encode(text));
    }

    /** The trace of ids; of too many ids, of the first, and then it is `cut`. */
    async traceOf(ids) {
      await this.load();
      const trace = lab.trace.compute(this.model, this.tokenizer, ids.slice(0, MOST));
      return { ...trace, cut: ids.length > MOST };
    }
  }

  return { Source, MOST, address, carriedText, carryText };
})();
