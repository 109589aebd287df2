// Offsets of the service count Unicode code points; JavaScript's strings count UTF-16 units.

/** Where a code point begins, in UTF-16 units. */
export function unitOf(text, codePoint) {
  let unit = 0;
  for (let passed = 0; passed < codePoint && unit < text.length; passed++) {
    unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  }
  return unit;
}

/** How many code points a text has. */
export function codePoints(text) {
  return [...text].length;
}

/** The text up to `start`, from `start` up to `end`, and from `end` on, counted in code points. */
export function around(text, start, end) {
  const first = unitOf(text, start);
  const last = first + unitOf(text.slice(first), end - start);
  return [text.slice(0, first), text.slice(first, last), text.slice(last)];
}
