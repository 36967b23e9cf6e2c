// Building elements. Text always goes in as text, never as HTML.

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A link to another site, which opens apart and learns nothing of this page.
export function outwardLink(href, textContent) {
  return element("a", { href, textContent, target: "_blank", rel: "noopener nofollow" });
}

// Only for HTML that the server has sanitised.
export function sanitisedHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
