// Texts of the reader's own: pasted, chosen or dropped. They go out with a question and are kept nowhere.
import { element, isolated } from "./dom.js";
import { codePoints } from "./offsets.js";
import { count } from "./words.js";

/** Which texts to ask about, if any. */
export class Given {
  constructor({ box, files, list, scope, words, panel, onProblem }) {
    Object.assign(this, { box, list, scope, words, panel, onProblem });
    this.read = [];
    box.addEventListener("input", () => this.show());
    files.addEventListener("change", async () => {
      await this.add(files.files);
      files.value = "";
    });
    this.show(); // a browser may bring back what stood in the box
  }

  /** As a request names them; empty when the service's own documents are asked. */
  documents() {
    const pasted = this.box.value.trim() ? [{ title: "Your text", text: this.box.value }] : [];
    return [...pasted, ...this.read].map((one, index) => ({ document_id: `given-${index + 1}`, ...one }));
  }

  /** Takes files of text in; others are told apart by their bytes. */
  async add(files) {
    for (const file of files) {
      try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
        if (!text.trim()) throw new Error("empty");
        this.read.push({ title: file.name, text });
      } catch {
        this.onProblem(`${file.name} cannot be read: it must be a text in UTF-8 that is not empty.`);
      }
    }
    this.show();
  }

  forget() {
    this.box.value = "";
    this.read = [];
    this.show();
  }

  show() {
    const documents = this.documents();
    const characters = documents.reduce((sum, one) => sum + codePoints(one.text), 0);
    this.list.replaceChildren(...this.read.map((one) => element("li", {}, isolated(one.title))));
    this.scope.hidden = documents.length === 0;
    this.words.textContent =
      documents.length === 1
        ? `Answers come from your text alone (${count(characters, "character")}).`
        : `Answers come from your ${documents.length} texts alone (${count(characters, "character")}).`;
  }
}

/** Files dropped anywhere on the page go to `onFiles`; `sign` shows while they hover. */
export function takeDrops({ sign, onFiles }) {
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    sign.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) sign.hidden = true;
  });
  addEventListener("drop", (event) => {
    sign.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    onFiles(event.dataTransfer.files);
  });
}
