/** Checks Markdown: one title a file, and links that lead somewhere. */
import { isMarkdown, type SourceFile } from "./source_file.ts";

/** The lines outside fenced code. */
function proseLines(text: string): string[] {
  let fenced = false;
  return text.split("\n").map((line) => {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) fenced = !fenced;
    return fenced || isFence ? "" : line;
  });
}

/** Markdown files that do not have exactly one `# Title`, on their first line. */
export function badTitles(files: readonly SourceFile[]): string[] {
  return files.filter(isMarkdown).flatMap(({ path, text }) => {
    const titles = proseLines(text).filter((line) => /^# \S/.test(line)).length;
    if (titles === 1 && /^# \S/.test(text)) return [];
    return [`${path} has ${titles} titles; it needs one "# Title", on its first line`];
  });
}

/** The fragment that a heading gets on GitHub: lower case, no punctuation, `-` for spaces. */
export function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function anchorsOf({ text }: SourceFile): Set<string> {
  const headings = proseLines(text).flatMap((line) => /^#{1,6} (.+)$/.exec(line)?.[1] ?? []);
  return new Set(headings.map(anchorOf));
}

/** Relative links whose file, folder or heading does not exist. */
export function brokenLinks(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const complaints: string[] = [];
  for (const file of files.filter(isMarkdown)) {
    const prose = proseLines(file.text).join("\n").replace(/`[^`\n]*`/g, "");
    for (const [, link = ""] of prose.matchAll(/\]\(\s*<?([^)\s>]+)/g)) {
      if (/^[a-z]+:/i.test(link)) continue;
      const [target = "", anchor] = link.split("#");
      const url = new URL(target, new URL(file.path, "file:///"));
      const path = target === "" ? file.path : decodeURIComponent(url.pathname).slice(1);
      const found = byPath.get(path);
      const isFolder = files.some((other) => other.path.startsWith(path.replace(/\/?$/, "/")));
      if (found === undefined && !isFolder) {
        complaints.push(`${file.path} links to ${link}, but there is no ${path}`);
      } else if (anchor !== undefined && found !== undefined && !anchorsOf(found).has(anchor)) {
        complaints.push(`${file.path} links to ${link}, but ${path} has no such heading`);
      }
    }
  }
  return complaints;
}
