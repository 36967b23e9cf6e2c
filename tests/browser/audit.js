// Faults of a page that can be found without knowing what it is about: names, labels, contrast.
() => {
  const faults = [];
  const describe = (node) => node.outerHTML.slice(0, 80);
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)];

  const nameOf = (node) => {
    const labelledBy = node.getAttribute("aria-labelledby");
    if (labelledBy) {
      const textOf = (id) => document.getElementById(id)?.textContent ?? "";
      return labelledBy.split(" ").map(textOf).join(" ").trim();
    }
    const label = node.labels?.length ? node.labels[0].textContent : "";
    return (node.getAttribute("aria-label") || label || node.textContent || "").trim();
  };

  const roles = ["tab", "tabpanel", "tablist", "group"].map((role) => `[role=${role}]`);
  for (const node of all(`button, a, input, textarea, summary, ${roles}`)) {
    if (!nameOf(node)) faults.push(`no name: ${describe(node)}`);
  }
  for (const node of all("img")) {
    if (!node.hasAttribute("alt")) faults.push(`no alternative text: ${describe(node)}`);
  }
  for (const node of all("[aria-controls], [aria-labelledby], [aria-describedby], label[for]")) {
    for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "for"]) {
      for (const id of (node.getAttribute(name) ?? "").split(" ").filter(Boolean)) {
        if (!document.getElementById(id)) faults.push(`${name} names nothing: ${describe(node)}`);
      }
    }
  }
  const ids = all("[id]").map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  if (!document.documentElement.lang) faults.push("no language");
  if (all("h1").length !== 1) faults.push("not exactly one h1");
  if (all("main").length !== 1) faults.push("not exactly one main");
  if (!document.title) faults.push("no title");
  for (const node of all("button, a, summary, label.primary").filter(shown)) {
    const { width, height } = node.getBoundingClientRect();
    const isInText = node.matches("p a");
    const isSmall = width < 24 || height < 24;
    if (isSmall && !isInText) faults.push(`too small to hit: ${describe(node)}`);
  }

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const groundOf = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = pixel(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const contrast = (first, second) => {
    const [dark, light] = [luminance(first), luminance(second)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const isText = walker.currentNode.textContent.trim() && shown(node);
    if (!isText || node.closest("noscript, :disabled")) continue;
    texts += 1;
    const ratio = contrast(pixel(getComputedStyle(node).color), groundOf(node));
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${describe(node)}`);
  }
  if (texts < 5) faults.push("hardly any text was looked at");
  return faults;
}
