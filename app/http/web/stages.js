// The stages of an answer as they are done. The row is as tall before as after: nothing below it moves.
import { element } from "./dom.js";
import { count } from "./words.js";

const STAGES = [
  ["retrieved", "Search", ({ hits }) => count(hits.length, "passage")],
  ["read", "Read", ({ readings }) => count(readings.filter(({ spans }) => spans.length).length, "passage")],
  ["generated", "Answer", ({ candidates }) => count(candidates.length, "idea")],
  ["located", "Quote", ({ quoted }) => count(quoted.length, "quote")],
  ["supported", "Check", ({ cited }) => `${cited.length} checked`],
];

/** The row of stages in `list`. */
export class Stages {
  constructor(list) {
    this.list = list;
  }

  /** Nothing done yet, the first under way. */
  begin() {
    this.items = new Map(STAGES.map(([name, label]) => [name, item(label)]));
    this.list.replaceChildren(...this.items.values());
    this.list.hidden = false;
    this.advance();
  }

  /** One is done, and the next is under way. */
  done(name, data) {
    const [, , fact] = STAGES.find(([known]) => known === name) ?? [];
    if (!fact) return;
    this.items.get(name).dataset.state = "done";
    this.items.get(name).querySelector(".fact").textContent = fact(data);
    this.advance();
  }

  /** The answer is there. */
  end() {
    for (const one of this.items.values()) one.dataset.state = "done";
  }

  hide() {
    this.list.hidden = true;
  }

  advance() {
    const next = [...this.items.values()].find((one) => one.dataset.state !== "done");
    if (next) next.dataset.state = "active";
  }
}

function item(label) {
  return element("li", {}, element("span", { class: "stage" }, label), element("span", { class: "fact" }));
}
