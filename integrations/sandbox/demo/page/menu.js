// A menu that a button opens: next to it on a wide screen, as a bottom sheet on a phone.
import { h, newId } from "./dom.js";
import { icon } from "./icons.js";

let closeOpen = null;

/** Whether the Slack window around this element is as narrow as a phone. */
export const isNarrow = (element) => (element.closest(".slack") ?? document.body).clientWidth <= 600;

/**
 * Open a menu for `anchor`. `items` are {value, label, description, selected}; `pick(value)` is called once.
 * `role` is "menu" for commands and "listbox" for a choice.
 */
export function openMenu(anchor, { items, label, pick, role = "menu", className = "" }) {
  if (anchor.getAttribute("aria-expanded") === "true") return close();
  closeOpen?.();
  const host = anchor.closest(".slack") ?? document.body;
  const narrow = isNarrow(anchor);
  const itemRole = role === "listbox" ? "option" : "menuitem";
  const rows = items.map((item) =>
    h(
      "div",
      { class: "menu-item", role: itemRole, tabindex: "-1", id: newId("item"), "aria-selected": role === "listbox" ? String(!!item.selected) : null, data: { value: item.value }, on: { click: () => choose(item) } },
      item.lead,
      h("span", { class: "menu-words" }, h("span", { class: "menu-label" }, item.label), item.description && h("span", { class: "menu-description" }, item.description)),
      item.selected && icon("check"),
    ),
  );
  const list = h("div", { class: `menu ${className}`, role, "aria-label": label }, narrow && h("div", { class: "menu-title", "aria-hidden": "true" }, label), ...rows);
  const shade = h("div", { class: narrow ? "menu-shade sheet" : "menu-shade", on: { pointerdown: (event) => event.target === shade && close() } }, list);
  host.append(shade);
  anchor.setAttribute("aria-expanded", "true");
  if (!narrow) place(list, anchor, host);
  (rows[items.findIndex((item) => item.selected)] ?? rows[0])?.focus();
  list.addEventListener("keydown", onKey);
  closeOpen = close;

  function choose(item) {
    close();
    pick(item.value);
  }

  function close() {
    shade.remove();
    anchor.setAttribute("aria-expanded", "false");
    closeOpen = null;
    if (anchor.isConnected) anchor.focus({ preventScroll: true });
  }

  function onKey(event) {
    const at = rows.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    if (event.key in moves) rows[(moves[event.key] + rows.length) % rows.length].focus();
    else if (event.key === "Enter" || event.key === " ") rows[at]?.click();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const ordered = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
      ordered.find((row) => row.querySelector(".menu-label").textContent.toLowerCase().startsWith(letter))?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Close the open menu, if there is one. */
export const closeMenu = () => closeOpen?.();

function place(list, anchor, host) {
  const edge = host === document.body ? { left: 0, top: 0, width: innerWidth, height: innerHeight } : host.getBoundingClientRect();
  const at = anchor.getBoundingClientRect();
  const size = list.getBoundingClientRect();
  const below = at.bottom + 4 + size.height <= edge.top + edge.height;
  const top = below ? at.bottom + 4 : Math.max(edge.top + 4, at.top - 4 - size.height);
  const left = Math.min(at.left, edge.left + edge.width - size.width - 8);
  list.style.top = `${top - edge.top}px`;
  list.style.left = `${Math.max(8, left - edge.left)}px`;
  list.style.minWidth = `${at.width}px`;
}
