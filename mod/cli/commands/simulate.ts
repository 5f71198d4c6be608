/** `gossamer simulate`: a cluster of any size in virtual time, with faults, every rule of the protocol checked. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { type Command, type Given, givenSwitch, givenValue } from "../command.ts";
import { JSON_FLAG } from "../json_output.ts";

/** As HOSTS_MAX of the simulator, which is too heavy to load for a help text. */
const HOSTS_MAX = 10_000;
const HOSTS_DEFAULT = 20;
const SEED_DEFAULT = 1;

export const simulateCommand: Command = {
  name: "simulate",
  brief: "Watch hundreds of hosts join, crash and split, in virtual time",
  description:
    `Runs the same membership engine as the agent, for many hosts at once, over a simulated
network, in virtual time: minutes of a cluster take seconds. After every step of every host
all rules of the protocol are checked; one that does not hold ends the run with exit code 1
and the smallest scenario that shows it. Needs no root and touches nothing.

Equal seeds give equal runs. Scenarios with a name: tour (default), join, crash, partition,
mass-restart, one-way, churn and random, which draws its faults from the seed. Experiments:
lifeguard (this protocol beside plain SWIM) and figures (detection times and traffic of 10
to 1,000 hosts beside theory). Anything with a slash or a dot is a scenario file: lines such
as "hosts 20" and "12000 kill h3".`,
  examples: [
    { line: "gossamer simulate", text: "a tour: joins, a crash, a partition, a leave" },
    {
      line: "gossamer simulate --scenario partition --hosts 100 --loss 5",
      text: "100 hosts, and 5 % of all packets lost",
    },
    {
      line: "gossamer simulate --scenario random --seed 42 --svg run.svg",
      text: "random faults, and a picture of what came of them",
    },
    { line: "gossamer simulate --scenario random --seeds 100", text: "one hundred such runs" },
  ],
  flags: [
    {
      name: "scenario",
      kind: "value",
      placeholder: "NAME|FILE",
      text: "What happens to the cluster",
      defaultText: "tour",
    },
    {
      name: "hosts",
      kind: "value",
      placeholder: "NUMBER",
      text: `Hosts, 1 to ${HOSTS_MAX}; a file says its own`,
      defaultText: String(HOSTS_DEFAULT),
    },
    {
      name: "loss",
      kind: "value",
      placeholder: "PERCENT",
      text: "Packets lost everywhere and all the time, 0 to 100",
      defaultText: "0",
    },
    {
      name: "seed",
      kind: "value",
      placeholder: "NUMBER",
      text: "Whatever is drawn is drawn from this",
      defaultText: String(SEED_DEFAULT),
    },
    {
      name: "seeds",
      kind: "value",
      placeholder: "NUMBER",
      text: "So many runs, from --seed on",
      defaultText: "1",
    },
    {
      name: "full",
      kind: "switch",
      placeholder: "",
      text: "Of an experiment, everything: takes long",
    },
    {
      name: "svg",
      kind: "value",
      placeholder: "FILE",
      text: "Draw the run: a lane for each host, every fault marked",
    },
    {
      name: "trace",
      kind: "value",
      placeholder: "FILE",
      text: "Write down every step in words",
    },
    JSON_FLAG,
  ],
  async run(outside, given) {
    const options = {
      scenario: givenValue(given, "scenario") ?? "tour",
      hosts: wholeNumber(given, "hosts", 1, HOSTS_MAX),
      lossRate: lossRate(givenValue(given, "loss")),
      seed: wholeNumber(given, "seed", 0, 2 ** 32 - 1),
      seeds: wholeNumber(given, "seeds", 1, 1_000_000) ?? 1,
      svgPath: givenValue(given, "svg") ?? null,
      tracePath: givenValue(given, "trace") ?? null,
      isJson: givenSwitch(given, "json"),
    };
    if (options.scenario === "lifeguard" || options.scenario === "figures") {
      const { runFigures, runLifeguardExperiment } = await import("../simulated_experiments.ts");
      const run = options.scenario === "figures" ? runFigures : runLifeguardExperiment;
      return await run(outside, {
        seed: options.seed ?? SEED_DEFAULT,
        repetitions: options.seeds,
        isFull: givenSwitch(given, "full"),
        isJson: options.isJson,
      });
    }
    const { runSimulation } = await import("../simulation.ts");
    return runSimulation(outside, options);
  },
};

function wholeNumber(
  given: Given,
  name: string,
  minimum: number,
  maximum: number,
): number | undefined {
  const text = givenValue(given, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UserError(
    `--${name}: ${JSON.stringify(text)} is not a whole number from ${minimum} to ${maximum}`,
    { exitCode: ExitCode.usage },
  );
}

function lossRate(text: string | undefined): number {
  if (text === undefined) return 0;
  const percent = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (percent >= 0 && percent <= 100) return percent / 100;
  throw new UserError(`--loss: ${JSON.stringify(text)} is not a percentage from 0 to 100`, {
    exitCode: ExitCode.usage,
    remedy: 'write "5" for 5 %',
  });
}
