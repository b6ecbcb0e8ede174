"use strict";
// What stands around an open stage: the text's form, the title, the choices, and the ways
// to the stages before and after. `inside` is the view of inside.js.
var lab = lab || {};

lab.insideHead = (() => {
  const { make } = lab.dom;
  const { choices, numbers, tokens } = lab.insideMap;
  const IN_BLOCK = ["attention", "feed-forward"];
  const IN_HEAD = ["scores", "mask", "shares", "mix"];
  const OF_NO_TOKEN = ["tokens", "logits", "choice"]; // or of the last one alone

  /** The form in which the reader types a text. */
  class TextForm {
    constructor(running, read) {
      this.running = running;
      this.input = make("input", {
        type: "text", id: "inside-text", value: running, maxLength: 200, required: true,
        autocomplete: "off", spellcheck: false,
      });
      this.again = make("button", { type: "button", hidden: true }, "Back to the running sentence");
      this.again.addEventListener("click", () => read(running));
      this.element = make("form", { className: "inside-row" },
        make("label", { htmlFor: this.input.id }, "Text"), this.input,
        make("button", { type: "submit" }, "Walk it through"), this.again);
      this.element.addEventListener("submit", (event) => {
        event.preventDefault();
        read(this.input.value);
      });
    }

    show(text) {
      this.input.value = text;
      this.again.hidden = text === this.running;
    }
  }

  /** The stage's name and what happens in it; in a chapter, tabs may have the name. */
  function header(inside) {
    const { stage, stages, given, compact, block, mode } = inside;
    const element = make("header", {}, make("p", { className: "inside-text" }, stage.says));
    if (!compact || stages.length === 1) element.prepend(make("h2", {}, stage.title));
    if (!compact) {
      const place = `${stages.indexOf(stage) + 1} of ${stages.length} · `;
      element.prepend(make("p", { className: "inside-place" }, place, chapter(inside)));
    }
    const said = (className) => (text) => make("p", { className }, text);
    const sentences = given?.of(stage, block).map(({ sentence }) => sentence) ?? [];
    const missing = (mode === "mine" && given?.missing(stage, block)) || [];
    element.append(...sentences.map(said("inside-wrong")), ...missing.map(said("inside-note")));
    return element;
  }

  /** The step that builds a stage: a link to its chapter, or whose it is. */
  function chapter(inside) {
    const { step } = inside.stage;
    const isStep = /^\d+$/.test(step);
    const name = isStep ? `step ${step}` : `encore ${step}`;
    if (inside.given) return `${name}${inside.given.owner(step)}`;
    const page = isStep ? `step_${step}` : `encore_${step}`;
    return make("a", { href: `${page}.html${inside.textInAddress("#")}` }, name);
  }

  /** The choices that a stage has: numbers, block, head and token. */
  function controls(inside) {
    const { trace, traces, stage, id, given, block, head, mode } = inside;
    const { layers, heads } = trace.sizes;
    const modes = Object.keys(traces);
    const set = (key, values) => (i) => inside.choose({ [key]: values ? values[i] : i });
    const row = make("div", { className: "inside-controls" });
    if (modes.length > 1) {
      const place = modes.indexOf(mode);
      row.append(choices("Numbers", `${id}-mode`, given.modes, place, set("mode", modes)));
    }
    if (IN_BLOCK.includes(stage.part)) {
      row.append(numbers("Block", `${id}-block`, layers, block, set("block")));
    }
    if (IN_HEAD.includes(stage.name)) {
      row.append(numbers("Head", `${id}-head`, heads, head, set("head")));
    }
    if (!OF_NO_TOKEN.includes(stage.name)) {
      row.append(tokens(trace, `${id}-token`, inside.row, set("row")));
    }
    return row;
  }

  /** The buttons to the stages before and after. */
  function turns(inside) {
    const place = inside.stages.indexOf(inside.stage);
    return [turn(inside, place - 1, "Before", "back"), turn(inside, place + 1, "Next", "next")];
  }

  function turn(inside, place, text, name) {
    const stage = inside.stages[place];
    if (!stage) return "";
    const button = make("button", { type: "button", className: `inside-${name}`, name },
      make("span", {}, text), stage.title);
    button.addEventListener("click", () => {
      inside.open(stage.name);
      // At the first and at the last stage, only the other button is left.
      if (!inside.panel.contains(document.activeElement)) {
        inside.focus(name === "next" ? "back" : "next");
      }
      inside.panel.scrollIntoView({ block: "nearest" });
    });
    return button;
  }

  return { TextForm, header, controls, turns };
})();
