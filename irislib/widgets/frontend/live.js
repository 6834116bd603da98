// The live answer: it follows the form, at most ten times a second, and the latest values win.

const LIVE_BURST = 3; // requests that may follow each other at once
const LIVE_SPAN = 300; // milliseconds that so many take at least
const ANNOUNCE_DELAY = 1000; // milliseconds of rest before a screen reader hears the answer

class LiveAnswer {
  // `read` returns the values, or null while the form is incomplete; `show` gets each reply.
  constructor(request, read, show, announce) {
    Object.assign(this, { request, read, show, announce });
    this.version = 0; // of the form; a reply about an earlier one is dropped once the button is pressed
    this.sent = Array(LIVE_BURST).fill(-Infinity); // when the last requests were
    this.announced = "";
  }

  // Asks for the answer to the form as it is, once all of a change is made or when the next request may be sent.
  schedule() {
    this.isWanted = true;
    if (this.isBusy) return;
    this.isBusy = true;
    const wait = this.sent[0] + LIVE_SPAN - performance.now();
    if (wait > 0) setTimeout(() => this.run(), wait);
    else queueMicrotask(() => this.run()); // a timer would come after the frame that paints the change
  }

  cancel() {
    this.version += 1;
    this.isWanted = false;
    clearTimeout(this.timer);
  }

  async run() {
    const { version } = this;
    this.sent = [...this.sent.slice(1), performance.now()];
    const values = this.isWanted ? this.read() : null;
    this.isWanted = false;
    const reply = values && (await this.request("preview", { values }));
    this.isBusy = false;
    if (reply && version === this.version) {
      this.show(reply);
      this.announceLater(reply.announcement);
    }
    if (this.isWanted) this.schedule();
  }

  announceLater(text) {
    clearTimeout(this.timer);
    if (!text || text === this.announced) return;
    this.timer = setTimeout(() => {
      this.announced = text;
      this.announce(text);
    }, ANNOUNCE_DELAY);
  }
}
