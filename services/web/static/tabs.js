// Tabs as the ARIA Authoring Practices describe them: one stop for Tab, arrow keys move and select.

export function startTabs(list) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const selected = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true");

  function select(tab) {
    for (const each of tabs) {
      const isSelected = each === tab;
      each.setAttribute("aria-selected", String(isSelected));
      each.tabIndex = isSelected ? 0 : -1;
      panelOf(each).hidden = !isSelected;
    }
  }

  // The address names the tab, so that a reload or a bookmark comes back to it.
  function choose(tab) {
    select(tab);
    history.replaceState(null, "", `#${panelOf(tab).id}`);
  }

  function selectFromAddress() {
    const tab = tabs.find((each) => `#${panelOf(each).id}` === location.hash);
    if (tab) select(tab);
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });

  function tabAfter(key) {
    const at = tabs.indexOf(selected());
    if (key === "ArrowLeft") return tabs.at(at - 1);
    if (key === "ArrowRight") return tabs[(at + 1) % tabs.length];
    return { Home: tabs[0], End: tabs.at(-1) }[key];
  }

  list.addEventListener("keydown", (event) => {
    const next = tabAfter(event.key);
    if (!next || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    choose(next);
    next.focus();
  });

  window.addEventListener("hashchange", selectFromAddress);
  selectFromAddress();
  return { selected: () => panelOf(selected()).id };
}
