// The page: a question goes out, its stages and its answer come in.
import { answer, ready, storedDocument } from "./api.js";
import { element, isolated } from "./dom.js";
import { Given, takeDrops } from "./own_text.js";
import * as past from "./history.js";
import { rendered } from "./render.js";
import { Stages } from "./stages.js";
import { Viewer } from "./viewer.js";
import { reasonInWords } from "./words.js";

const at = (id) => document.getElementById(id);
const [form, question, button, result, spoken] = ["form", "question", "ask", "result", "spoken"].map(at);
const stages = new Stages(at("stages"));
const viewer = new Viewer(at("document"));
const given = new Given({
  box: at("text"),
  files: at("files"),
  list: at("given"),
  scope: at("scope"),
  words: at("scope-words"),
  onProblem: (sentence) => showProblem("That file is no text", sentence),
});
const welcome = [...result.childNodes];
let underWay = null;

/** `follows`: the address, which is left as it is. */
async function ask({ follows = false } = {}) {
  const asked = question.value.trim();
  if (!asked) return;
  underWay?.abort();
  const asking = (underWay = new AbortController());
  const documents = given.documents();
  if (!follows) leadTo(asked, documents);
  begin(asked);
  try {
    const response = await whenReady(asking.signal, () => request(asked, documents, asking.signal));
    if (asking === underWay) finish(asked, response, documents);
  } catch (error) {
    if (asking !== underWay) return;
    stages.hide();
    if (error.name === "AbortError") say("Stopped.", ...welcome);
    else showProblem(error.title ?? "This page failed", error.message, () => ask());
  } finally {
    if (asking === underWay) end();
  }
}

function request(asked, documents, signal) {
  const body = { question: asked, include: ["alternatives"], ...(documents.length ? { documents } : {}) };
  stages.begin();
  return answer(body, { signal, onStage: (name, data) => stages.done(name, data) });
}

async function whenReady(signal, work) {
  try {
    return await work();
  } catch (error) {
    if (!error.isNotReady) throw error;
    stages.hide();
    const words = "The models are still loading. The question is asked as soon as they are there.";
    say(words, element("p", { class: "notice" }, words));
    await ready({ signal });
    return work();
  }
}

function leadTo(asked, documents) {
  const address = documents.length ? "./" : `./?${new URLSearchParams({ q: asked })}`;
  if (new URL(address, document.baseURI).href !== location.href) history.pushState(null, "", address);
}

function begin(asked) {
  document.title = `${asked} – Loccit`;
  button.textContent = "Stop";
  result.setAttribute("aria-busy", "true");
  say("Looking for an answer.", element("div", { class: "waiting", "aria-hidden": "true" }));
  if (matchMedia("(pointer: coarse)").matches) question.blur(); // so that the keys on the screen make room
}

function finish(asked, response, documents) {
  stages.end();
  const texts = new Map(documents.map((one) => [one.document_id, { ...one, url: null }]));
  const load = (id) => (options) => texts.get(id) ?? storedDocument(id, options);
  const open = (citation) => viewer.show(citation, load(citation.document_id));
  say(inSpeech(response), ...rendered(response, { open }));
  if (!documents.length) past.remember(asked, response.answer);
  showHistory();
}

function end() {
  underWay = null;
  button.textContent = "Ask";
  result.removeAttribute("aria-busy");
}

function inSpeech(response) {
  if (response.abstained) return `No answer. ${reasonInWords(response.abstain_reason)}`;
  const [first] = response.citations;
  return `Answer: ${response.answer}. Quoted from ${first.title || first.document_id}.`;
}

/** Shows this in place of what was there, and has it spoken. */
function say(words, ...shown) {
  spoken.textContent = words;
  result.replaceChildren(...shown);
}

function showProblem(title, sentence, again) {
  say(
    `${title}. ${sentence}`,
    element(
      "div",
      { class: "problem" },
      element("h2", {}, title),
      element("p", {}, isolated(sentence)),
      again ? element("button", { type: "button", class: "plain", click: again }, "Ask again") : null,
    ),
  );
}

function showHistory() {
  const questions = past.asked();
  at("history").hidden = questions.length === 0;
  at("asked").replaceChildren(...questions.map(({ question: asked, answer: was }) => entry(asked, was)));
}

function entry(asked, was) {
  const again = () => {
    given.forget();
    question.value = asked;
    scrollTo({ top: 0 });
    ask();
  };
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", class: "entry", click: again },
      element("bdi", { class: "asked" }, asked),
      element("bdi", { class: "was" }, was ?? "no answer"),
    ),
  );
}

/** The address says what is asked, and it is asked of the service's own documents. */
function follow() {
  question.value = new URLSearchParams(location.search).get("q") ?? "";
  if (question.value.trim()) {
    given.forget();
    ask({ follows: true });
  } else {
    underWay?.abort();
    document.title = "Loccit";
    stages.hide();
    say("", ...welcome);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (underWay) underWay.abort();
  else ask();
});
button.addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault(); // the second click of a double one would stop what the first began
});
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (question.value.trim()) ask();
});
at("clear").addEventListener("click", () => {
  past.forget();
  showHistory();
  question.focus();
});
at("forget").addEventListener("click", () => {
  given.forget();
  question.focus();
});
takeDrops({
  sign: at("drop"),
  onFiles: async (files) => {
    at("own").open = true;
    await given.add(files);
    question.focus();
  },
});
addEventListener("popstate", follow);
showHistory();
follow();
if (!question.value) question.focus();
