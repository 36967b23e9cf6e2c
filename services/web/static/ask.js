// The tab on which a question is asked.

import { postJson } from "./api.js";
import { element, outwardLink, sanitisedHtml } from "./elements.js";
import { Failure } from "./failure.js";
import { LatestRequest } from "./latest.js";
import { Outcome } from "./outcome.js";
import { scoreBar, scoreText } from "./scores.js";
import { sourceLines } from "./sources.js";

export function startAsk(panel) {
  const form = panel.querySelector("form");
  const field = form.elements.question;
  const outcome = new Outcome(panel.querySelector(".outcome"));
  const latest = new LatestRequest();
  let mostCharacters = Infinity;

  function ask() {
    const question = field.value.trim();
    const fault = faultOf(question, mostCharacters);
    field.setAttribute("aria-invalid", String(Boolean(fault)));
    if (fault) {
      latest.cancel();
      outcome.fail(fault);
      field.focus();
      return;
    }
    outcome.wait("Looking for questions like yours…");
    latest.run((signal) => postJson("api/ask", { question }, signal), {
      slow: () => outcome.slow(),
      done: (answer) => showMatches(outcome, answer),
      failed: (failure) => outcome.fail(failure, ask),
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      ask();
    }
  });
  // Until here the browser would send the form itself, to nowhere.
  form.querySelector("[type=submit]").disabled = false;

  return {
    offer(questions, characters) {
      mostCharacters = characters;
      const chip = ({ label, question }) => {
        const onclick = () => {
          field.value = question;
          ask();
        };
        const properties = { type: "button", className: "chip", textContent: label, onclick };
        return element("li", {}, element("button", properties));
      };
      const examples = panel.querySelector(".examples");
      examples.querySelector("ul").replaceChildren(...questions.map(chip));
      examples.hidden = false;
    },
  };
}

function faultOf(question, mostCharacters) {
  if (!question) return new Failure("There is no question yet", "Type one, or try an example.");
  if (question.length > mostCharacters) {
    const most = mostCharacters.toLocaleString("en-GB");
    return new Failure("That is too large", `A question may have ${most} characters.`);
  }
  return null;
}

function showMatches(outcome, answer) {
  const { matches, low_signal: lowSignal } = answer;
  if (matches.length && !lowSignal) {
    const count = matches.length === 1 ? "1 match" : `${matches.length} matches`;
    outcome.show(`${count}, the likeliest first`, matchList(matches, true));
    return;
  }
  const nothing = element(
    "div",
    { className: "no-match" },
    element("h2", { className: "no-match-title", textContent: "No match" }),
    element("p", {
      textContent:
        "None of the known questions seems to ask this. Other words may help, " +
        "or the name of a function or an error message.",
    }),
  );
  if (matches.length) {
    const text = `Show the ${matches.length} closest anyway`;
    const summary = element("summary", { textContent: text });
    nothing.append(element("details", { className: "weak" }, summary, matchList(matches, false)));
  }
  outcome.announce("No match", nothing);
}

function matchList(matches, openFirst) {
  const item = (match, at) => element("li", {}, matchItem(match, openFirst && at === 0));
  return element("ol", { className: "matches" }, ...matches.map(item));
}

function matchItem(match, open) {
  const { title, url, score, answer } = match;
  const summary = element(
    "summary",
    {},
    element("span", { className: "match-title", textContent: title }),
    scoreText(score),
    scoreBar(score),
  );
  const text = element("div", { className: "answer" });
  text.append(answer ? sanitisedHtml(answer) : "There is no answer to show.");
  // A code block that scrolls must be reachable by keyboard.
  for (const block of text.querySelectorAll("pre")) block.tabIndex = 0;
  if (url) {
    text.append(element("p", {}, outwardLink(url, "Open the question")));
  }
  text.append(...sourceLines(match));
  return element("details", { className: "match", open }, summary, text);
}
