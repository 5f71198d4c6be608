/** `gossamer status --watch`: the status again each second, on a screen of its own when there is one. */
import { ExitCode, UserError } from "../base/errors.ts";
import { runDirOf } from "./agent_place.ts";
import { type Given, givenSwitch } from "./command.ts";
import { exitCodeOf, fetchStatus, statusText } from "./agent_status.ts";
import type { Outside } from "./outside.ts";

const INTERVAL_MS = 1000;

// Private modes of xterm: 1049 the alternate screen, 25 the cursor, 7 wrapping of long lines.
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE_SCREEN = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Cursor home; each line is cleared as it is written, and with the last one what is below: nothing flickers. */
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Shows frames until interrupted. Throws when the first answer fails; later failures are part of the picture. */
export async function watch(outside: Outside, given: Given): Promise<ExitCode> {
  const runDir = await runDirOf(outside, given);
  const asJson = givenSwitch(given, "json");
  const onScreen = outside.outputIsTerminal && !asJson;
  let exitCode: ExitCode = ExitCode.done;
  let entered = false;
  try {
    for await (const _ of outside.ticks(INTERVAL_MS)) {
      const frame = await takeFrame(outside, runDir, asJson, entered);
      exitCode = frame.exitCode;
      if (!onScreen) {
        outside.print(asJson || !entered ? frame.text : `\n${frame.text}`);
      } else {
        const screen = screenOf(frame.text, footer(outside.now()), outside.rows());
        outside.print((entered ? "" : ENTER_SCREEN) + screen);
      }
      entered = true;
    }
  } finally {
    if (onScreen && entered) outside.print(LEAVE_SCREEN);
  }
  return exitCode;
}

async function takeFrame(
  outside: Outside,
  runDir: string,
  asJson: boolean,
  tolerant: boolean,
): Promise<{ text: string; exitCode: ExitCode }> {
  try {
    const document = await fetchStatus(runDir);
    const text = asJson
      ? `${JSON.stringify(document)}\n`
      : await statusText(outside, document, rowsOf(outside));
    return { text, exitCode: exitCodeOf(document) };
  } catch (error) {
    if (!tolerant || !(error instanceof UserError)) throw error;
    const text = asJson
      ? `${JSON.stringify({ error: error.message, exitCode: error.exitCode })}\n`
      : `${error.message}\n`;
    return { text, exitCode: error.exitCode };
  }
}

/** For the status; the footer has the last one. */
function rowsOf(outside: Outside): number | undefined {
  const rows = outside.outputIsTerminal ? outside.rows() : undefined;
  return rows === undefined ? undefined : rows - 1;
}

function footer(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(11, 19)} UTC, again each second; Ctrl-C ends it`;
}

/** The frame from the top left corner, cut to the rows that there are, and below it the footer, which tells. */
function screenOf(text: string, footer: string, rows = Infinity): string {
  const lines = text.trimEnd().split("\n");
  const shown = [...lines, ""].slice(0, Math.max(0, rows - 1));
  const hidden = lines.length - shown.length;
  const bottom = hidden <= 0 ? footer : `${footer}; ${hidden} lines below do not fit`;
  // Cleared before they are written: behind a line of full width the cursor stands on its last letter.
  const above = shown.map((line) => `${CLEAR_LINE}${line}\r\n`).join("");
  return HOME + above + CLEAR_BELOW + bottom;
}
