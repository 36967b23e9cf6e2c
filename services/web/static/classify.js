// The tab on which a picture is classified.

import { getPicture, postPicture } from "./api.js";
import { element, outwardLink } from "./elements.js";
import { Failure, unreadable } from "./failure.js";
import { LatestRequest } from "./latest.js";
import { Outcome } from "./outcome.js";
import { listenForPictures } from "./picture_sources.js";
import { scoreBar, scoreText } from "./scores.js";

const MIB = 1024 * 1024;
// What no gateway takes, until the server has said what it does.
const LARGEST_BYTES = 64 * MIB;

export function startClassify(panel, { isShown }) {
  const outcome = new Outcome(panel.querySelector(".outcome"));
  const latest = new LatestRequest();
  let mostBytes = LARGEST_BYTES;
  let address = "";

  // `load` gives the picture as a Blob; `about` is its name and, where it has one, a description.
  function classify(load, about) {
    outcome.wait("Looking at the picture…");
    latest.run((signal) => score(load, signal, mostBytes), {
      slow: () => outcome.slow(),
      done: ({ picture, predictions }) => {
        URL.revokeObjectURL(address);
        address = URL.createObjectURL(picture);
        const parts = [preview(address, about), classList(predictions)];
        const seen = element("div", { className: "seen" }, ...parts);
        outcome.announce(`Most likely: ${predictions[0]?.label ?? "nothing known"}`, seen);
      },
      failed: (failure) => outcome.fail(failure, () => classify(load, about)),
    });
  }

  listenForPictures({
    input: panel.querySelector("input[type=file]"),
    drop: panel.querySelector(".drop"),
    isShown,
    take: (file) => classify(() => file, { name: file.name }),
  });

  return {
    offer(pictures, bytes) {
      mostBytes = bytes;
      const examples = panel.querySelector(".examples");
      const items = pictures.map((picture) => thumbnail(picture, classify));
      examples.querySelector("ul").replaceChildren(...items);
      examples.hidden = false;
    },
  };
}

async function score(load, signal, mostBytes) {
  const chosen = await load(signal);
  if (!chosen.type.startsWith("image/")) {
    throw new Failure("That is not a picture", "Choose a JPEG, PNG, WebP, GIF or BMP file.");
  }
  if (chosen.size > mostBytes) {
    const most = (mostBytes / MIB).toLocaleString("en-GB", { maximumFractionDigits: 1 });
    throw new Failure("That is too large", `A picture may have ${most} MiB.`);
  }
  const picture = await inMemory(chosen);
  const { predictions } = await postPicture("api/classify", picture, signal);
  return { picture, predictions };
}

// A file that is read only while it is sent, and cannot be, looks like a server that is gone.
async function inMemory(chosen) {
  try {
    return new Blob([await chosen.arrayBuffer()], { type: chosen.type });
  } catch {
    throw unreadable();
  }
}

function thumbnail({ label, alternative, file, credit, credit_url: creditUrl }, classify) {
  const source = `static/examples/${file}`;
  const load = (signal) => getPicture(source, signal);
  const onclick = () => classify(load, { name: label, alternative });
  const button = element(
    "button",
    { type: "button", className: "thumbnail", onclick },
    element("img", { src: source, alt: "", width: 640, height: 427, loading: "lazy" }),
    element("span", { textContent: label }),
  );
  const properties = { className: "credit" };
  const line = element("p", properties, "Photo: ", outwardLink(creditUrl, credit));
  return element("li", {}, button, line);
}

function preview(source, { name, alternative }) {
  return element(
    "figure",
    { className: "preview" },
    element("img", { src: source, alt: alternative ?? "The picture that was classified" }),
    element("figcaption", { textContent: name }),
  );
}

function classList(predictions) {
  const items = predictions.map(({ label, score: probability }) =>
    element(
      "li",
      { className: "class" },
      element("span", { className: "class-label", textContent: label }),
      scoreText(probability),
      scoreBar(probability),
    ),
  );
  return element("ol", { className: "classes" }, ...items);
}
