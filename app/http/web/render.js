// A response as a reader sees it.
import { element, isolated, linkOut } from "./dom.js";
import { codePoints } from "./offsets.js";
import { barInWords, count, inTens, isCalibrated, ofSource, reasonInWords, terms, uncalibrated } from "./words.js";

const SHOWN_ALTERNATIVES = 3;
const LONG_FROM = 121; // characters of an answer that are set smaller, as several lines are
const CUT_FROM = 120; // the service cuts what follows a quote at a word's end, 120 to 160 characters after it

/** What to show for a response. `open(citation)` shows the document of a citation. */
export function rendered(response, { open }) {
  return response.abstained ? abstention(response, open) : answered(response, open);
}

function answered(response, open) {
  return [
    element("h2", { class: isLong(response.answer) ? "answer long" : "answer", dir: "auto" }, response.answer),
    shortAnswer(response),
    confidence(response),
    response.conflict && warning(response.conflict),
    cards(response.citations, response, open),
    alternatives(response, open),
    colophon(response),
  ].filter(Boolean);
}

function isLong(answer) {
  return answer.length >= LONG_FROM || answer.includes("\n");
}

function shortAnswer({ answer, kind, short_answer: short }) {
  return kind === "short" && short !== answer ? element("p", { class: "short" }, "In short: ", isolated(short)) : null;
}

function abstention(response, open) {
  return [
    element("h2", { class: "answer none" }, "No answer"),
    element("p", { class: "reason" }, reasonInWords(response.abstain_reason)),
    response.nearest.length
      ? element("h3", {}, "The nearest in the documents")
      : element("p", { class: "hint" }, "There is nothing near it to show either."),
    response.nearest.length ? cards(response.nearest, response, open) : null,
    colophon(response),
  ].filter(Boolean);
}

function confidence(response) {
  const calibrated = isCalibrated(response);
  return element(
    "div",
    { class: "confidence" },
    calibrated ? null : bar(response.confidence),
    element("p", {}, calibrated ? `${inTens(response.confidence)}.` : uncalibrated(response)),
  );
}

function bar(value) {
  const fill = element("span");
  fill.style.inlineSize = `${100 * value}%`;
  return element("span", { class: "meter", role: "img", "aria-label": barInWords(value) }, fill);
}

function warning(other) {
  const from = other.citations[0]?.title || other.citations[0]?.document_id || "another document";
  return element(
    "p",
    { class: "warning", role: "note" },
    element("strong", {}, "Another document says otherwise"),
    ": ",
    element("q", {}, isolated(other.answer)),
    " (",
    isolated(from),
    "). Compare the quotes.",
  );
}

function cards(citations, response, open) {
  return element("ol", { class: "cards" }, ...citations.map((citation) => card(citation, response, open)));
}

function card(citation, response, open) {
  const title = citation.title || citation.document_id;
  const show = () => open(citation);
  const onQuote = () => getSelection().isCollapsed && show(); // whoever selects text wants to copy it
  return element(
    "li",
    { class: "card" },
    citation.further ? element("p", { class: "kind" }, "Also in this passage") : null,
    element("blockquote", { dir: "auto", click: onQuote }, ...quoted(citation)),
    element(
      "div",
      { class: "source" },
      element("p", { class: "title" }, isolated(title), citation.locator ? ` · ${citation.locator}` : null),
      linkOut(citation.url),
      element("button", { type: "button", class: "plain open", click: show }, "Show in the document", unseenOf(title)),
    ),
    attribution(citation, response),
  );
}

function unseenOf(title) {
  return element("span", { class: "unseen" }, ": ", isolated(title));
}

function quoted({ before, quote, after, start }) {
  const left = start > codePoints(before) ? "… " : "";
  const right = codePoints(after) >= CUT_FROM ? " …" : "";
  return [
    element("span", { class: "around" }, left + before),
    element("mark", {}, quote),
    element("span", { class: "around" }, after + right),
  ];
}

function attribution({ source }, { generation, attribution: all }) {
  const lines = generation === null ? ["From the text you gave"] : terms(ofSource(all, source));
  return lines.length ? element("p", { class: "terms" }, ...lines.map((line) => element("span", {}, isolated(line)))) : null;
}

function alternatives(response, open) {
  const all = response.alternatives ?? [];
  if (!all.length) return null;
  const items = all.map((one) => alternative(one, response, open));
  const rest = items.slice(SHOWN_ALTERNATIVES);
  rest.forEach((item) => (item.hidden = true));
  const more = (click) => {
    rest.forEach((item) => (item.hidden = false));
    rest[0].querySelector("summary").focus();
    click.currentTarget.remove();
  };
  return element(
    "section",
    { class: "others", "aria-labelledby": "others-title" },
    element("h3", { id: "others-title" }, "Other answers"),
    element("ul", {}, ...items),
    rest.length ? element("button", { type: "button", class: "plain", click: more }, `Show ${rest.length} more`) : null,
  );
}

function alternative(one, response, open) {
  return element(
    "li",
    {},
    element(
      "details",
      { open: one.answer === response.conflict?.answer },
      element("summary", {}, element("span", { class: "other", dir: "auto" }, one.answer), bar(one.confidence)),
      cards(one.citations, response, open),
    ),
  );
}

function colophon({ timings_ms: timings, citations, nearest }) {
  const quotes = citations.length + nearest.length;
  const checked = quotes ? `${count(quotes, "quote")} located word for word · ` : "";
  return element("p", { class: "colophon" }, `${checked}${(timings.total / 1000).toFixed(1)} s`);
}
