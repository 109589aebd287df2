// Elements out of texts. Nothing here reads HTML: a text stays a text whatever it holds.

/** An element; strings among the children become text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Foreign text in a line of ours: its writing direction ends with it. */
export function isolated(text) {
  return element("bdi", {}, text);
}

/** An address as a browser would open it, null unless it is of the web. */
export function webAddress(url) {
  try {
    const address = new URL(url);
    return ["http:", "https:"].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}

/** A link out, or null when the address is not one of the web. */
export function linkOut(url) {
  const address = webAddress(url);
  if (address === null) return null;
  return element(
    "a",
    { href: address.href, target: "_blank", rel: "noopener noreferrer", class: "out" },
    isolated(address.hostname),
    element("span", { class: "unseen" }, " (opens in a new tab)"),
  );
}
