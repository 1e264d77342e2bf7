// Single keys for what the page does most. A control names its key in `aria-keyshortcuts`; nothing happens while somebody
// types, while a dialog is open, or once the visitor has turned the keys off (WCAG 2.1.4).

const STORED = "keys";

/** Kept here too: a browser may refuse its storage. */
let isOff = false;
try {
  isOff = localStorage.getItem(STORED) === "off";
} catch {
  // On, for this visit.
}

export const areOn = () => !isOff;

export function turn(isOn) {
  isOff = !isOn;
  try {
    localStorage.setItem(STORED, isOn ? "on" : "off");
  } catch {
    // For this visit only.
  }
}

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const isTyping = target.closest("input:not([type=checkbox],[type=range]), select, textarea, [role=listbox]");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || !areOn()) return;
    const control = document.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}"]`);
    if (!control || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (control.matches("input, select")) control.focus();
    else control.click();
  });
}
