/** Compares the log messages in the product with the table of docs/logging.md: levels, texts and fields. */
import { isTypeScript, type SourceFile } from "./source_file.ts";

const DOCUMENT = "docs/logging.md";

/** A call of the log with a constant message; what comes from a problem or a plan is told of in words. */
const CALL = /\blog\??\.(debug|info|warning|error)\(\s*"([^"\n]+)"\s*([,)])/g;

/** A row: `| level | message | fields |`, fields in code quotes. */
const ROW = /^\| (debug|info|warning|error) +\| (.+?) +\| (.*?) *\|$/gm;

/** Every line of JSON has these. */
const OWN_FIELDS = ["time", "level", "message"];

interface Message {
  readonly level: string;
  readonly text: string;
  readonly fields: readonly string[];
  /** Some fields come from elsewhere and are not read. */
  readonly hasMore: boolean;
}

/** Messages that the document lacks, or has otherwise, and rows without a message. */
export function undocumentedMessages(files: readonly SourceFile[]): string[] {
  const document = files.find(({ path }) => path === DOCUMENT)?.text ?? "";
  const rows = new Map([...document.matchAll(ROW)].map(([, level, text = "", fields = ""]) => [
    text,
    { level, fields: [...fields.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name) },
  ]));
  const complaints: string[] = [];
  const found = new Set<string>();
  for (const file of files) {
    if (!isTypeScript(file) || !/^(mod|ffi)\//.test(file.path)) continue;
    for (const message of messagesIn(file.text)) {
      found.add(message.text);
      for (const name of message.fields.filter((name) => OWN_FIELDS.includes(name))) {
        complaints.push(`${file.path}: the field ${name} would hide the log's own in JSON`);
      }
      const row = rows.get(message.text);
      const wanted = `| ${message.level} | ${message.text} | ${
        message.fields.map((name) => `\`${name}\``).join(", ")
      } |`;
      if (row === undefined) {
        complaints.push(`${DOCUMENT} lacks, of ${file.path}: ${wanted}`);
      } else if (row.level !== message.level || !agree(message, row.fields)) {
        complaints.push(`${DOCUMENT} says otherwise than ${file.path}: ${wanted}`);
      }
    }
  }
  for (const text of rows.keys()) {
    if (!found.has(text)) complaints.push(`${DOCUMENT} has a message that nobody logs: ${text}`);
  }
  return complaints;
}

function agree({ fields, hasMore }: Message, documented: readonly string[]): boolean {
  return fields.every((name) => documented.includes(name)) &&
    (hasMore || documented.length === fields.length);
}

function messagesIn(text: string): Message[] {
  return [...text.matchAll(CALL)].map(
    ({ 0: call, 1: level = "", 2: message = "", 3: end, index }) => {
      const rest = end === ")" ? "" : argument(text.slice(index + call.length));
      const isLiteral = rest.startsWith("{");
      const parts = isLiteral ? topLevelParts(rest.slice(1, -1)) : [];
      const fields = parts.filter((part) => !part.startsWith("...")).map((part) =>
        /^\w+/.exec(part)?.[0] ?? part
      );
      const hasMore = (rest !== "" && !isLiteral) || parts.some((part) => part.startsWith("..."));
      return { level, text: message, fields, hasMore };
    },
  );
}

/** The text up to the bracket that closes the call. */
function argument(text: string): string {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? "";
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character) && depth-- === 0) {
      return text.slice(0, index).trim().replace(/,$/, "");
    }
  }
  return "";
}

/** What stands between the commas that are in no bracket and no string. */
function topLevelParts(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  for (const character of text) {
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if ("\"'`".includes(character)) quote = character;
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    else if (character === "," && depth === 0) {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}
