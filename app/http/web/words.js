// What the numbers and names of a response mean, in plain words.

const SURE = 0.95;
const UNSURE = 0.05;

/** Whether the confidence is a probability for what answered. */
export function isCalibrated(response) {
  return response.calibration?.applies === true;
}

/** A calibrated confidence as people count: in tens. */
export function inTens(confidence) {
  const start = confidence > SURE ? "More than 9" : confidence < UNSURE ? "Fewer than 1" : null;
  return `${start ?? `About ${Math.max(1, Math.min(9, Math.round(10 * confidence)))}`} in 10 answers like this are right`;
}

/** How long a bar is, for those who do not see it. Deliberately no number. */
export function barInWords(confidence) {
  const length = ["very short", "short", "half full", "long", "nearly full"][Math.min(4, Math.floor(5 * confidence))];
  return `Confidence bar: ${length}`;
}

/** What the bar says where it is not a probability, and what answers were worth elsewhere. */
export function uncalibrated(response) {
  const seen = response.calibration?.elsewhere;
  return `Not calibrated for these documents: a longer bar only means surer.${
    seen ? ` On other documents ${seen.right} of ${seen.given} answers with a confidence of ${seen.min_confidence} or more were right.` : ""
  }`;
}

const REASONS = {
  no_passages: "No passage of the documents has to do with this question.",
  no_candidate: "There are passages on the subject, but none of them led to an answer.",
  no_quote: "An answer was considered, but no sentence of the documents says it word for word, so it was dropped.",
  low_confidence: "The best answer that was found is too unsure to be given.",
};

/** Why there is no answer. */
export function reasonInWords(reason) {
  return REASONS[reason] ?? "The service did not say why.";
}

/** "3 passages", "1 passage". */
export function count(number, singular, plural = `${singular}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

/** The terms of one source among those of a response; of all of them where it is not known. */
export function ofSource(attribution, source) {
  return source === null ? attribution : attribution.filter((one) => one.source === source);
}

/** The terms of the sources: one line each, those that name any. */
export function terms(attribution) {
  return attribution
    .map(({ source, licence, attribution: by }) => [attribution.length > 1 ? source : null, by, licence])
    .map((parts) => parts.filter(Boolean).join(" · "))
    .filter((line, index) => attribution[index].licence || attribution[index].attribution);
}
