// The whole document, scrolled to what was quoted.
import { element, isolated, linkOut } from "./dom.js";
import { around } from "./offsets.js";
import { terms } from "./words.js";

/** Shows documents in a dialog; Escape closes it, and the focus goes back to where it came from. */
export class Viewer {
  constructor(dialog) {
    this.dialog = dialog;
    this.title = dialog.querySelector("#document-title");
    this.about = dialog.querySelector("#document-about");
    this.text = dialog.querySelector("#document-text");
    dialog.querySelector("#close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (click) => click.target === dialog && dialog.close()); // beside it
    dialog.addEventListener("close", () => this.loading?.abort());
  }

  /** `load({signal})` gives the document. */
  async show(citation, load) {
    this.loading?.abort();
    const loading = (this.loading = new AbortController());
    this.title.replaceChildren(isolated(citation.title || citation.document_id));
    this.about.replaceChildren("Loading …");
    this.text.replaceChildren();
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const found = await load({ signal: loading.signal });
      if (!loading.signal.aborted) this.fill(found, citation);
    } catch (error) {
      if (error.name !== "AbortError") this.about.replaceChildren(error.message);
    }
  }

  fill(found, citation) {
    const [before, quote, after] = around(found.text, citation.start, citation.end);
    if (quote !== citation.quote) {
      this.about.replaceChildren("The document has changed since it was quoted: the quote no longer stands there.");
      this.text.replaceChildren(found.text);
      return;
    }
    const mark = element("mark", { tabindex: "-1" }, quote);
    const link = linkOut(found.url);
    this.about.replaceChildren(
      `Characters ${citation.start.toLocaleString("en")} to ${citation.end.toLocaleString("en")}, word for word`,
      ...(link ? [" · ", link] : []),
      ...terms(found.attribution ?? []).map((line) => element("span", { class: "terms" }, isolated(line))),
    );
    this.text.replaceChildren(before, mark, after);
    mark.focus({ preventScroll: true });
    mark.scrollIntoView({ block: "center" });
  }
}
