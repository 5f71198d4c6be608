/** What the tidy checkers look at: a file's path and text, so that tests can make files up. */
import { projectFiles, projectRoot } from "../layers/project_files.ts";

export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A checker turns the files of the project into complaints, none if all is well. */
export type Checker = (files: readonly SourceFile[]) => string[];

/** Reads every file of the project. One with a NUL byte is no text: it is there, for who links to it, and empty. */
export async function readProject(): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of await projectFiles()) {
    const text = await Deno.readTextFile(new URL(encodeURI(path), projectRoot));
    files.push({ path, text: text.includes("\0") ? "" : text });
  }
  return files;
}

/** Whether the file is TypeScript. */
export function isTypeScript({ path }: SourceFile): boolean {
  return path.endsWith(".ts");
}

/** Whether the file is Markdown. */
export function isMarkdown({ path }: SourceFile): boolean {
  return path.endsWith(".md");
}
