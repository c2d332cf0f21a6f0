// Functions that build the page's nodes. No code of the page parses HTML.

export const element = (id) => document.getElementById(id);

/** Append a new element with a class and with text, which is never parsed as HTML. */
export function add(parent, name, className, text, more) {
  const made = Object.assign(document.createElement(name), more);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return parent.appendChild(made);
}

export function addButton(parent, text, click) {
  const button = add(parent, "button", "", text, { type: "button" });
  button.addEventListener("click", click);
  return button;
}

/** Add a button that copies text, if the page may use the clipboard. */
export function copyButton(parent, text) {
  if (!navigator.clipboard) return;
  const button = addButton(parent, "Copy", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1200);
  });
  button.className = "copy";
}
