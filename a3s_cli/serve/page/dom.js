// Building the page's nodes. Nothing here, or anywhere in the page, parses HTML.

/** Append a new element; what it holds is set as properties, hence as text. */
export function add(parent, name, properties = {}) {
  return parent.appendChild(Object.assign(document.createElement(name), properties));
}

/** A button that copies; a page that is not trusted with the clipboard has none. */
export function copyButton(parent, text, label = "Copy") {
  if (!navigator.clipboard) return;
  const button = add(parent, "button", { type: "button", className: "copy", textContent: label });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1200);
  });
}
