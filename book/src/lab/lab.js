"use strict";
// The decoding lab: puts the text, the filters and the views together.
var lab = lab || {};

lab.Lab = class {
  constructor(recording) {
    const { find } = lab.dom;
    this.recording = recording;
    this.tokenizer = new lab.tokenizer.Tokenizer(recording);
    this.source = new lab.source.Source(recording);
    this.session = new lab.session.Session();
    this.filters = new lab.viewFilters.Filters(() => this.showStep());
    this.showText = lab.viewText.viewText(this.tokenizer, (place) => this.do("cut", place));
    this.bars = new lab.viewBars.Bars(this.tokenizer, (id) => this.choose(id));
    this.draws = new lab.viewDraws.Draws(this.tokenizer, () => this.seed());
    this.beams = new lab.viewBeams.Beams(this);
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

  /** Starts with other ids, and draws as the seed says. */
  open(ids, written) {
    this.setBusy(null);
    this.session.open(ids, written);
    this.reseed();
    this.show();
  }

  /** Changes the text as the session knows how. */
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

  /** Draws tokens and shows each; undo takes them back together. */
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
    if (this.busy !== job) return; // another text was opened meanwhile
    session.join(history);
    this.setBusy(null);
    this.say(`The text ends: ${this.tokenizer.decode(session.ids.slice(-20))}`);
  }

  /** Takes note of a job that is changing the text, or of its end. */
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

  /** What follows the text, before and after the filters. */
  showStep() {
    const { ids } = this.session;
    const known = this.source.next(ids);
    this.step = known && this.filters.apply(known.logits, ids);
    lab.viewSource.show(this, known);
    lab.dom.find("lab-next").hidden = !known;
    if (!known) return;
    for (const view of [this.bars, lab.viewSurvivors, this.draws]) view.show(this.step);
    if (!this.busy) this.say(lab.viewSurvivors.sentence(this.step));
  }

  /** A button that is out of use keeps the focus, so it is not `disabled`. */
  showControls() {
    const { before, ids, opening } = this.session;
    const still = !this.busy;
    const can = [this.canGrow(), this.canGrow(), before.length > 0, ids.length > opening];
    this.controls.forEach((button, i) => (button.ariaDisabled = !(still && can[i])));
  }

  /** Tells those who hear the page, once the reader has stopped moving a slider. */
  say(sentence) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (lab.dom.find("lab-live").textContent = sentence), 500);
  }
};

lab.dom.find("lab").hidden = false;
lab.page = new lab.Lab(lab.recording);
