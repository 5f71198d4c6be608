/** `gossamer subnets`: who owns which subnet. */
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch, givenValue } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { paintFor, plainPaint } from "../paint.ts";

export const subnetsCommand: Command = {
  name: "subnets",
  brief: "List who owns which subnet, and how many are used",
  description: `Lists the claims that the agent of this host knows, one a line: SUBNET OWNER STATE
SINCE, and then how many subnets of the pool are used. SINCE is when this host's agent
saw the state first.

With --why, one subnet: who owns it, who else claims it, and how the order of claims decides
between them, field by field; or why nobody owns it.`,
  examples: [
    { line: "gossamer subnets", text: "as a list" },
    { line: "gossamer subnets --why 10.244.7.0/24", text: "who owns it, and why" },
    { line: "gossamer subnets --map", text: "as a square, a cell for each subnet" },
  ],
  flags: [
    {
      name: "why",
      kind: "value",
      placeholder: "SUBNET",
      text: "Explain who owns this subnet; an address in it or a host's name will do",
    },
    { name: "map", kind: "switch", placeholder: "", text: "Draw the network as a map" },
    JSON_FLAG,
    runDirFlag(),
  ],
  async run(outside, given) {
    const { askAgent } = await import("../control_client.ts");
    const { subnetsOf } = await import("../documents.ts");
    const runDir = await runDirOf(outside, given);
    const why = givenValue(given, "why");
    if (why !== undefined) {
      return await (await import("../explain.ts")).explain(outside, given, runDir, why);
    }
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
