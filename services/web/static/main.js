// Wires the page together.

import { showAccount } from "./account.js";
import { getJson } from "./api.js";
import { startAsk } from "./ask.js";
import { startClassify } from "./classify.js";
import { startTabs } from "./tabs.js";

const tabs = startTabs(document.querySelector("[role=tablist]"));
const ask = startAsk(document.getElementById("ask"));
const classify = startClassify(document.getElementById("classify"), {
  isShown: () => tabs.selected() === "classify",
});

showAccount(document.getElementById("account"));
document.getElementById("unloaded").remove();

// Without examples the page works all the same, so their failure is not worth a message.
getJson("api/examples").then(
  (examples) => {
    ask.offer(examples.questions, examples.most_question_characters);
    classify.offer(examples.pictures, examples.most_picture_bytes);
  },
  () => {},
);
