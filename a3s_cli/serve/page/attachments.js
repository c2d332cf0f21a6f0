// The files that go with the next prompt: chosen, pasted or dropped.

import { addButton, element } from "./dom.js";

/** The most bytes of one file; the server has a limit of its own. */
const MOST = 20_000_000;

export class Attachments {
  constructor() {
    this.files = [];
    const [chooser, form] = [element("files"), element("composer")];
    element("attach").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      this.take(chooser.files);
      chooser.value = "";
    });
    element("prompt").addEventListener("paste", (event) => {
      if (this.take(event.clipboardData.files)) event.preventDefault();
    });
    form.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    });
    form.addEventListener("drop", (event) => {
      if (this.take(event.dataTransfer.files)) event.preventDefault();
    });
  }

  /** Add files; return whether there were any. */
  take(files) {
    for (const file of files) {
      if (file.size > MOST) element("refused").textContent = `${file.name} is larger than 20 MB.`;
      else this.files.push(file);
    }
    this.show();
    return files.length > 0;
  }

  show() {
    const list = element("attached");
    list.replaceChildren();
    list.hidden = !this.files.length;
    for (const file of this.files) {
      const remove = () => {
        this.files = this.files.filter((one) => one !== file);
        this.show();
        element("prompt").focus();
      };
      addButton(list, `${file.name} ✕`, remove).ariaLabel = `Remove ${file.name}`;
    }
  }

  /** Return the files as the server takes them, and forget them. */
  async send() {
    const files = this.files;
    this.files = [];
    element("refused").textContent = "";
    this.show();
    return Promise.all(
      files.map(async (file) => ({ name: file.name, data: await base64(file) })),
    );
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
