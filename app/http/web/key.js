// The API key that a service may want: asked for once, kept until the tab is closed.
const KEPT = "loccit-key";
const SENDABLE = /^[!-~]+$/; // what a header can hold
let unstored = null; // the key where a browser keeps nothing: known until the page is left
const NO_KEY = "That is no API key: one has letters, digits, dashes and underscores alone. Try again.";

/** The headers that carry the key, none where it is not known. */
export function keyHeaders() {
  const key = known();
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

/** Asks for a key, below the service's sentence; false when the reader would rather not. */
export function askForKey(sentence) {
  const dialog = document.getElementById("key");
  const box = dialog.querySelector("input");
  if (dialog.open) return Promise.resolve(false); // it is being asked for already
  keep(null);
  dialog.querySelector("#key-words").textContent = sentence;
  dialog.returnValue = "";
  box.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const key = box.value.trim();
        box.value = "";
        if (dialog.returnValue !== "given" || key === "") return resolve(false);
        if (!SENDABLE.test(key)) return resolve(askForKey(NO_KEY));
        keep(key);
        resolve(true);
      },
      { once: true },
    );
  });
}

function known() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return unstored;
  }
}

function keep(key) {
  unstored = key;
  try {
    if (key === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, key);
  } catch {
    // then this page alone knows it
  }
}
