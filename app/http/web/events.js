// Server-sent events of a response to POST, which the browser's EventSource cannot send.

/** Each event of a stream of bytes as `{event, data}`, its data read as JSON; comments are passed over. */
export async function* eventsOf(body) {
  let block = { event: "message", data: [] };
  for await (const line of linesOf(body)) {
    if (line === "") {
      if (block.data.length) yield { event: block.event, data: JSON.parse(block.data.join("\n")) };
      block = { event: "message", data: [] };
      continue;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "event") block.event = value;
    if (field === "data") block.data.push(value);
  }
}

/** A connection that breaks ends the stream where it is; whoever gave up is told so. */
function cutShort(error) {
  if (error.name === "AbortError") throw error;
  return { done: true };
}

async function* linesOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(cutShort);
      if (done) return; // what follows the last line end is no whole event
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      yield* lines.map((line) => line.replace(/\r$/, ""));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
