/** `gossamer subnets --why`: asks the agent about one subnet and prints what it says. */
import { ExitCode } from "../base/errors.ts";
import { type Given, givenSwitch } from "./command.ts";
import { askAgent } from "./control_client.ts";
import { whyOf } from "./documents.ts";
import { printJson } from "./json_output.ts";
import type { Outside } from "./outside.ts";
import { paintFor } from "./paint.ts";
import { renderWhy } from "./render_why.ts";

/** `what` is a subnet, an address or a host's name. */
export async function explain(
  outside: Outside,
  given: Given,
  runDir: string,
  what: string,
): Promise<ExitCode> {
  const path = `/subnets/why?of=${encodeURIComponent(what)}`;
  const document = whyOf(await askAgent(runDir, { method: "GET", path }));
  if (givenSwitch(given, "json")) printJson(outside, document);
  else outside.print(renderWhy(document, outside.now(), paintFor(outside), outside.width()));
  return ExitCode.done;
}
