"use strict";
// The controls of the page Inside: the map of the stages, and the choice of block, head
// and token.
var lab = lab || {};

lab.insideMap = (() => {
  const { make, arrowKeys, stopAt } = lab.dom;
  const { chip } = lab.token;
  const { range } = lab.sheet;
  const PARTS = {
    text: "The text comes in",
    attention: "Block: attention",
    "feed-forward": "Block: feed-forward network",
    output: "A token comes out",
  };

  /** The stages in their parts; a press opens one. */
  class StageMap {
    constructor(stages, open) {
      this.buttons = new Map(stages.map((stage) => [stage, stageButton(stage, open)]));
      this.select = make("select", { ariaLabel: "Stage" }, ...grouped(stages, (name, list) =>
        make("optgroup", { label: name }, ...list.map((stage) =>
          make("option", { value: stage.name }, stage.title)))));
      this.select.addEventListener("change", () => open(this.select.value));
      const parts = grouped(stages, (name, list) => make("li", {}, make("span", {}, name),
        make("ol", {}, ...list.map((stage) => make("li", {}, this.buttons.get(stage))))));
      this.element = make("nav", { className: "inside-map", ariaLabel: "Stages" },
        this.select, make("ol", {}, ...parts));
      arrowKeys(this.element);
    }

    /** Puts a word beside each title for which `word` returns one. */
    mark(word) {
      for (const [stage, button] of this.buttons) {
        const found = word(stage);
        const mark = () => make("span", { className: `inside-mark inside-${found}` }, found);
        button.replaceChildren(stage.title, ...(found ? [" ", mark()] : []));
      }
    }

    show(stage) {
      for (const [other, button] of this.buttons) {
        if (other === stage) button.setAttribute("aria-current", "step");
        else button.removeAttribute("aria-current");
      }
      stopAt(this.element, this.buttons.get(stage));
      this.select.value = stage.name;
    }
  }

  function grouped(stages, build) {
    return Object.entries(PARTS)
      .map(([part, name]) => [name, stages.filter((stage) => stage.part === part)])
      .filter(([, list]) => list.length)
      .map(([name, list]) => build(name, list));
  }

  function stageButton(stage, open) {
    const button = make("button", { type: "button" }, stage.title);
    button.addEventListener("click", () => open(stage.name));
    return button;
  }

  /** A row of choices of which one is taken. */
  function choices(legend, name, labels, chosen, choose) {
    const options = labels.map((label, value) => {
      const input = make("input", { type: "radio", name, checked: value === chosen });
      input.addEventListener("change", () => choose(value));
      return make("label", {}, input, label);
    });
    const title = make("legend", {}, legend);
    return make("fieldset", { className: "inside-choices" }, title, ...options);
  }

  const numbers = (legend, name, count, chosen, choose) =>
    choices(legend, name, range(0, count).map(String), chosen, choose);

  /** The text's tokens; the chosen one is the row that the stages look at. */
  const tokens = (trace, name, chosen, choose) => choices("Token", name,
    trace.tokens.map(chip), chosen, choose);

  return { StageMap, choices, numbers, tokens };
})();
