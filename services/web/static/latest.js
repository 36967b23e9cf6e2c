// One request at a time: a newer one ends the older one, whose answer is never shown.

import { failureIn } from "./failure.js";

const SLOW_MS = 3000;
const LONGEST_MS = 60000;

export class LatestRequest {
  #controller = null;

  // `work` gets an AbortSignal; `slow`, `done` and `failed`, which gets a `Failure`, are called for
  // the newest request only.
  async run(work, { slow, done, failed }) {
    this.cancel();
    const controller = new AbortController();
    this.#controller = controller;
    const ifNewest = (tell) => {
      if (this.#controller === controller) tell();
    };
    const slowTimer = setTimeout(() => ifNewest(slow), SLOW_MS);
    const endTimer = setTimeout(() => controller.abort(), LONGEST_MS);
    const report = (tell) => {
      clearTimeout(slowTimer);
      clearTimeout(endTimer);
      ifNewest(tell);
    };
    try {
      const result = await work(controller.signal);
      report(() => done(result));
    } catch (error) {
      report(() => failed(failureIn(error)));
    }
  }

  cancel() {
    const controller = this.#controller;
    this.#controller = null;
    controller?.abort();
  }
}
