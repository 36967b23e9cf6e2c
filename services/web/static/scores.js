// Scores from 0 to 1 as a percentage and a bar.

import { element } from "./elements.js";

export function percentage(score) {
  if (score > 0 && score < 0.01) return "< 1 %";
  if (score < 1 && score > 0.99) return "> 99 %";
  return `${Math.round(score * 100)} %`;
}

export function scoreText(score) {
  return element("span", { className: "score", textContent: percentage(score) });
}

// The bar repeats the number beside it, so it is nothing to a screen reader.
export function scoreBar(score) {
  const bar = element("span", { className: "score-bar", ariaHidden: "true" });
  bar.style.setProperty("--score", String(score));
  return bar;
}
