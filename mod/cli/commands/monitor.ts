/** `gossamer monitor`: the agent's events as they happen. */
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch } from "../command.ts";
import { JSON_FLAG } from "../json_output.ts";

export const monitorCommand: Command = {
  name: "monitor",
  brief: "Show the agent's events as they happen",
  description: `Shows what happens as the agent of this host sees it, one event a line: hosts that
come and go, this host's claim, peers in the kernel, repairs, problems with remedies.
docs/events.md lists the events and what each one says.

Ends on Ctrl-C with 0, and with 3 when the agent ends.`,
  examples: [
    { line: "gossamer monitor", text: "from now on, until Ctrl-C" },
    { line: "gossamer monitor --recent", text: "what happened before as well" },
    {
      line: "gossamer monitor --json | jq 'select(.event == \"member-failed\")'",
      text: "for scripts",
    },
  ],
  flags: [
    JSON_FLAG,
    {
      name: "recent",
      kind: "switch",
      placeholder: "",
      text: "Show the last 500 events first",
    },
    runDirFlag(),
  ],
  async run(outside, given) {
    const { monitor } = await import("../monitor.ts");
    return await monitor(outside, await runDirOf(outside, given), {
      asJson: givenSwitch(given, "json"),
      withRecent: givenSwitch(given, "recent"),
    });
  },
};
