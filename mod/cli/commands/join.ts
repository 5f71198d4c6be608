/** `gossamer join`: more seeds for the running agent. */
import { ConfigError, ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import type { Command } from "../command.ts";
import { seed } from "../config/checks.ts";
import { BadValue } from "../config/setting.ts";

export const joinCommand: Command = {
  name: "join",
  brief: "Ask the running agent to join more hosts",
  description:
    `Gives the running agent more hosts to join, in addition to those of its --join flags.
It tries them until they answer; gossamer status shows how it goes with each.`,
  examples: [{ line: "gossamer join 192.168.1.10 node2:7947", text: "two more seeds" }],
  flags: [runDirFlag()],
  arguments: { placeholder: "HOST[:PORT]", minimum: 1, text: "Hosts of the cluster" },
  async run(outside, given) {
    const seeds = given.arguments.flatMap((text) => text.split(",")).map(checkedSeed);
    const { askAgent } = await import("../control_client.ts");
    const { joinAnswerOf } = await import("../documents.ts");
    const answer = joinAnswerOf(
      await askAgent(await runDirOf(outside, given), {
        method: "POST",
        path: "/join",
        body: { seeds },
      }),
    );
    outside.say(`joining ${answer.seeds.join(", ")} - gossamer status shows how it goes`);
    return ExitCode.done;
  },
};

function checkedSeed(text: string): string {
  try {
    return seed(text.trim());
  } catch (error) {
    if (error instanceof BadValue) throw new ConfigError("join", error.message, error.remedy);
    throw error;
  }
}
