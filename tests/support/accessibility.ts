/** The rules of axe (WCAG 2.2 A and AA, and its best practices) on a page in a browser. */
import axe from "axe-core";
import type { Page } from "./chromium.ts";

/** Each fault as one line; none for a page without any. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(`${axe.source}; undefined`);
  return await page.evaluate<string[]>(`axe.run(document).then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any }) =>
      id + ": " + help + ": " + html + " " + any.map(({ message }) => message).join())))`);
}
