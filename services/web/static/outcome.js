// The place under a form where its outcome appears: waiting, an error, or results.

import { element } from "./elements.js";

export class Outcome {
  #status = element("p", { className: "status", role: "status", tabIndex: -1 });
  #alert = element("div", { role: "alert" });
  #results = element("div", { className: "results" });
  #countdown = 0;

  constructor(place) {
    place.append(this.#status, this.#alert, this.#results);
  }

  wait(text) {
    this.#clearAlert();
    this.#status.className = "status waiting";
    this.#status.textContent = text;
    this.#results.ariaBusy = "true";
  }

  slow() {
    this.#status.textContent = "Still working. The service is slower than usual.";
  }

  show(text, results) {
    this.#settle(text);
    this.#results.replaceChildren(results);
    bringIntoView(this.#results);
  }

  // Like `show`, where the results themselves say to the eye what `text` says to the ear.
  announce(text, results) {
    this.show(text, results);
    this.#status.classList.add("unseen");
  }

  // Tells of a `Failure`; where another try can help, `retry` is what the button does.
  fail(failure, retry) {
    this.#settle("");
    this.#results.replaceChildren();
    const words = element(
      "div",
      {},
      element("h2", { className: "error-title", textContent: failure.title }),
      element("p", { textContent: failure.text }),
    );
    if (failure.reference) {
      const textContent = `Reference ${failure.reference}`;
      words.append(element("p", { className: "reference", textContent }));
    }
    const box = element("div", { className: "error" }, words);
    if (failure.status === 401) box.append(signInLink());
    if (failure.mayRetry && retry) box.append(this.#retryButton(failure.retrySeconds, retry));
    this.#alert.replaceChildren(box);
    bringIntoView(this.#alert);
  }

  #retryButton(seconds, retry) {
    const button = element("button", { type: "button", className: "secondary", onclick: retry });
    const label = (left) => {
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Try again (${left} s)` : "Try again";
    };
    label(seconds);
    let left = seconds;
    this.#countdown = setInterval(() => {
      left -= 1;
      label(left);
      if (left <= 0) clearInterval(this.#countdown);
    }, 1000);
    return button;
  }

  #settle(text) {
    this.#clearAlert();
    this.#status.className = "status";
    this.#status.textContent = text;
    this.#results.ariaBusy = "false";
  }

  #clearAlert() {
    clearInterval(this.#countdown);
    // The button that was pressed goes; without this the focus would fall back to the page's start.
    if (this.#alert.contains(document.activeElement)) this.#status.focus();
    this.#alert.replaceChildren();
  }
}

// In a tab of its own: what was typed here stays, and can be sent once somebody is signed in.
function signInLink() {
  return element("a", {
    className: "secondary",
    href: "auth/sign-in",
    target: "_blank",
    rel: "noopener",
    textContent: "Sign in",
  });
}

// On a small screen the outcome lies below the fold; move only as far as is needed to show its top.
function bringIntoView(results) {
  const hiddenBelow = results.getBoundingClientRect().top > window.innerHeight * 0.75;
  if (hiddenBelow) results.scrollIntoView({ block: "center", behavior: "smooth" });
}
