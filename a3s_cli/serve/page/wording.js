// The page's wording: times, amounts, and text made safe to show.

export function duration(ms) {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.trunc(seconds / 60)} min ${seconds % 60} s`;
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** US dollars, as at a terminal: an amount above zero is never shown as zero. */
export function dollars(amount) {
  return amount > 0 && amount < 0.0001 ? "<$0.0001" : `$${amount.toFixed(4)}`;
}

export function ago(ms) {
  const minutes = Math.trunc((Date.now() - ms) / 60000);
  if (minutes < 60) return minutes < 1 ? "now" : `${minutes} min ago`;
  return minutes < 1440 ? `${Math.trunc(minutes / 60)} h ago` : `${Math.trunc(minutes / 1440)} d ago`;
}

// Controls, what reorders a line, and what takes no room: the same set as on a terminal.
const STEERING = new RegExp(
  "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f" +
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb" +
    "\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]",
  "gu",
);

/** Return text with invisible and bidirectional control characters made visible. */
export function plain(text) {
  return text.replace(STEERING, (char) => `⟨${char.codePointAt(0).toString(16).padStart(4, "0")}⟩`);
}

/** Return a command's output without colours, with every line end as a newline. */
export function printed(text) {
  return plain(text.replace(/\x1b\[[0-9;:]*[A-Za-z]/g, "").replace(/\r\n?/g, "\n"));
}
