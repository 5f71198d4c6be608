/** `gossamer ping`: asks another host on every layer, and says which of them fails. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, type Given, givenSwitch, givenValue } from "../command.ts";
import { wholeNumber } from "../config/checks.ts";
import { BadValue } from "../config/setting.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { paintFor } from "../paint.ts";

const COUNT_MAX = 1_000_000;
/** Of an IPv4 packet, with its header. */
const BYTES_MIN = 28;
const BYTES_MAX = 65_535;

export const pingCommand: Command = {
  name: "ping",
  brief: "Ask another host by gossip and through the overlay; say which layer fails",
  description:
    `Asks another host on every layer: its underlay address, its agent over UDP and over TCP, its
VTEP through the overlay with a small packet, and both with packets of full length that may not
be fragmented. Says which layer fails, and what to do about it.

HOST is a name, an underlay address, a subnet or an id, as gossamer members shows them. Needs
root, as ping does. Exits with 1 when a layer fails.`,
  examples: [
    { line: "gossamer ping h2", text: "once" },
    { line: "gossamer ping h2 --count 10", text: "ten times, a second apart" },
  ],
  flags: [
    {
      name: "count",
      kind: "value",
      placeholder: "N",
      text: "How often, a second apart",
      defaultText: "1",
    },
    {
      name: "size",
      kind: "value",
      placeholder: "BYTES",
      text: "Of the long packet in the overlay, with its IP header",
      defaultText: "the overlay's MTU",
    },
    JSON_FLAG,
    runDirFlag(),
  ],
  arguments: { placeholder: "HOST", minimum: 1, text: "The host to ask", once: true },
  async run(outside, given) {
    const [host = "", another] = given.arguments;
    if (another !== undefined) {
      throw new UserError(`ping: one host at a time, not ${another} as well`, {
        exitCode: ExitCode.usage,
        remedy: "repeat the command for each",
      });
    }
    const count = numberOf(given, "count", 1, COUNT_MAX) ?? 1;
    const bytes = numberOf(given, "size", BYTES_MIN, BYTES_MAX);
    const { askHost } = await import("../ask_host.ts");
    const { renderWay } = await import("../render_way.ts");
    const runDir = await runDirOf(outside, given);
    let hasFailed = false;
    let left = count;
    for await (const _ of outside.ticks(1000)) {
      const way = await askHost(runDir, host, bytes);
      hasFailed ||= way.broken !== null;
      if (givenSwitch(given, "json")) printJson(outside, way);
      else outside.print(renderWay(way, paintFor(outside)));
      if (--left === 0) break;
      if (!givenSwitch(given, "json")) outside.print("\n");
    }
    return hasFailed ? ExitCode.failed : ExitCode.done;
  },
};

function numberOf(given: Given, flag: string, lowest: number, highest: number): number | null {
  const text = givenValue(given, flag);
  if (text === undefined) return null;
  try {
    return wholeNumber(lowest, highest)(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new UserError(`--${flag}: ${error.message}`, {
      exitCode: ExitCode.usage,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    });
  }
}
