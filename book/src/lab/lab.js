"use strict";
// The decoding lab: connects the text, the filters and the views.
var lab = lab || {};

lab.Lab = class {
  constructor(recording) {
    const { find } = lab.dom;
    this.recording = recording;
    this.tokenizer = new lab.tokenizer.Tokenizer(recording);
    this.source = new lab.source.Source(recording, this.tokenizer.vocabulary.length);
    this.session = new lab.session.Session();
    this.filters = new lab.viewFilters.Filters(() => this.showStep());
    this.merges = new lab.viewMerges.Merges(this.tokenizer);
    this.showText = lab.viewText.viewText(this.tokenizer, (place) => this.do("cut", place));
    this.bars = new lab.viewBars.Bars(this.tokenizer, (id) => this.choose(id));
    this.draws = new lab.viewDraws.Draws(this.tokenizer, () => this.seed());
    this.beams = new lab.viewBeams.Beams(this);
    this.pattern = new lab.viewPattern.Pattern(this);
    this.controls = ["lab-write-one", "lab-write-many", "lab-undo", "lab-restart"].map(find);
    this.listen();
    this.open(recording.openings[0].prompt);
    this.loading = this.load();
  }

  listen() {
    const { find, keepArrowKeys } = lab.dom;
    const actions = [() => this.write(1), () => this.write(20), () => this.do("undo"),
      () => this.do("restart")];
    this.controls.forEach((button, i) =>
      button.addEventListener("click", () => button.ariaDisabled === "true" || actions[i]()));
    find("lab-seed").addEventListener("input", () => this.reseed());
    lab.viewOpening.listen(this);
    lab.scenes.listen(this);
    keepArrowKeys(find("lab"));
  }

  async load() {
    await this.source.load("lab/data/weights.js").catch(() => (this.failed = true));
    this.show();
  }

  seed() {
    return lab.dom.find("lab-seed").valueAsNumber || 0;
  }

  reseed() {
    this.uniform = lab.random.generator(this.seed());
    this.draws.clear();
  }

  /** Starts with other ids and seeds the random numbers. */
  open(ids, written) {
    this.setBusy(null);
    this.session.open(ids, written);
    this.reseed();
    this.show();
  }

  /** Calls a method of the session that changes the text. */
  do(change, ...values) {
    if (this.busy) return;
    this.session[change](...values);
    if (change === "restart") this.reseed();
    this.show();
  }

  choose(id) {
    if (this.canGrow()) this.do("add", id);
  }

  canGrow() {
    return Boolean(this.step) && this.source.room(this.session.ids) > 0;
  }

  /** Draws tokens and shows each; one undo removes all of them. */
  async write(count) {
    const { session, recording } = this;
    const history = session.before.length;
    const job = {};
    this.setBusy(job);
    for (let i = 0; i < count && this.busy === job && this.canGrow(); i++) {
      session.add(lab.random.draw(this.step.after, this.uniform));
      this.show();
      if (session.ids.at(-1) === recording.endOfText) break;
      await lab.dom.pause();
    }
    if (this.busy !== job) return; // the reader has opened another text
    session.join(history);
    this.setBusy(null);
    this.say(`The text ends: ${this.tokenizer.decode(session.ids.slice(-20))}`);
  }

  /** Sets the job that changes the text, or null at its end. */
  setBusy(job) {
    this.busy = job;
    lab.dom.find("lab").setAttribute("aria-busy", Boolean(job));
    this.showControls();
  }

  show() {
    this.showText(this.session);
    this.beams.show(this.session);
    this.showStep();
    this.showControls();
  }

  /** Shows the next token's distribution before and after the filters. */
  showStep() {
    const { ids } = this.session;
    this.pattern.show();
    const known = this.source.next(ids);
    this.step = known && this.filters.apply(known.logits, ids);
    lab.viewSource.show(this, known);
    lab.dom.find("lab-next").hidden = !known;
    if (!known) return;
    for (const view of [this.bars, lab.viewSurvivors, this.draws]) view.show(this.step);
    if (!this.busy) this.say(lab.viewSurvivors.sentence(this.step));
  }

  /** Switches a button off with `aria-disabled`: `disabled` would lose the focus. */
  showControls() {
    const { before, ids, opening } = this.session;
    const still = !this.busy;
    const can = [this.canGrow(), this.canGrow(), before.length > 0, ids.length > opening];
    this.controls.forEach((button, i) => (button.ariaDisabled = !(still && can[i])));
  }

  /** Tells screen readers the result once the sliders have stopped. */
  say(sentence) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (lab.dom.find("lab-live").textContent = sentence), 500);
  }
};

lab.dom.find("lab").hidden = false;
lab.page = new lab.Lab(lab.recording);
