// Whose the texts of a match are, as their licences want it said beside them.

import { element, outwardLink } from "./elements.js";

export function sourceLines(match) {
  const lines = [
    sourceLine("Question", match.attribution, match.source_id),
    sourceLine("Answer", match.answer_attribution),
  ];
  return lines.filter(Boolean);
}

function sourceLine(what, attribution, sourceId) {
  const { url, author, author_url: authorUrl, licence, licence_url: licenceUrl } = attribution ?? {};
  const parts = [];
  if (sourceId) parts.push([sourceId]);
  if (author || authorUrl) parts.push(["by ", linked(authorUrl, author ?? "its author")]);
  if (licence || licenceUrl) parts.push([linked(licenceUrl, licence ?? "licence")]);
  if (!parts.length && !url) return null;
  const words = parts.flatMap((part, at) => [at ? ", " : " ", ...part]);
  return element("p", { className: "source" }, linked(url, what), ...words);
}

function linked(url, text) {
  return url ? outwardLink(url, text) : text;
}
