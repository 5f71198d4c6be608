/** `gossamer subnets`: who owns which subnet. */
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { paintFor, plainPaint } from "../paint.ts";

export const subnetsCommand: Command = {
  name: "subnets",
  brief: "List who owns which subnet, and how many are used",
  description: `Lists the claims that the agent of this host knows, one a line: SUBNET OWNER STATE
SINCE, and then how many subnets of the pool are used. SINCE is when this host's agent
saw the state first.`,
  examples: [
    { line: "gossamer subnets", text: "as a list" },
    { line: "gossamer subnets --map", text: "as a square, a cell for each subnet" },
  ],
  flags: [
    { name: "map", kind: "switch", placeholder: "", text: "Draw the network as a map" },
    JSON_FLAG,
    runDirFlag(),
  ],
  async run(outside, given) {
    const { askAgent } = await import("../control_client.ts");
    const { subnetsOf } = await import("../documents.ts");
    const runDir = await runDirOf(outside, given);
    const document = subnetsOf(await askAgent(runDir, { method: "GET", path: "/subnets" }));
    const paint = paintFor(outside);
    if (givenSwitch(given, "json")) {
      printJson(outside, document);
    } else if (givenSwitch(given, "map")) {
      const { renderMap } = await import("../render_map.ts");
      outside.print(renderMap(document, paint !== plainPaint));
    } else {
      const { renderSubnets } = await import("../render_subnets.ts");
      outside.print(renderSubnets(document, paint));
    }
    return ExitCode.done;
  },
};
