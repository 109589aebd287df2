// Questions asked before, kept in this browser only.

const KEY = "loccit-history";
const KEPT = 30;

/** The questions with their answers, the latest first. */
export function asked() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one?.question === "string") : [];
  } catch {
    return []; // a browser that keeps nothing, or something else under this name
  }
}

/** Remembers a question; `answer` is null when there was none. */
export function remember(question, answer) {
  const others = asked().filter((one) => one.question !== question);
  keep([{ question, answer }, ...others].slice(0, KEPT));
}

/** Forgets them all. */
export function forget() {
  keep([]);
}

function keep(questions) {
  try {
    if (questions.length) localStorage.setItem(KEY, JSON.stringify(questions));
    else localStorage.removeItem(KEY);
  } catch {
    // then nothing is remembered
  }
}
