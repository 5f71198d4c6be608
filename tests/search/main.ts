/**
 * The exhaustive search from the command line.
 *
 *   deno task search                     every configuration, a table of what was visited
 *   deno task search talk split          only these
 *   deno task search --without RULE      that rule switched off: prints the counter-example
 *   deno task search --rules             every rule in turn: which configuration shows it, how soon
 */
import { CONFIGURATIONS, DEEP } from "./configurations.ts";
import { Hosts } from "./hosts.ts";
import { type Change, openTree } from "./opened_tree.ts";
import { NOT_SHOWN, type Rule, RULES } from "./rules.ts";
import { type Outcome, Search } from "./search.ts";
import type { Configuration } from "./state.ts";
import { story } from "./story.ts";

/** A configuration that needs longer is cut off, and the table says so. */
const SECONDS_MAX = Number(Deno.env.get("SEARCH_SECONDS") ?? 150);

/** Searches one configuration; a story of what was found, if anything. */
export async function searchOne(
  configuration: Configuration,
  changes: readonly Change[],
  secondsMax = SECONDS_MAX,
): Promise<{ readonly outcome: Outcome; readonly story: string | null }> {
  const tree = await openTree([...configuration.scale ?? [], ...changes]);
  const search = new Search(new Hosts(tree, configuration), configuration);
  const outcome = search.run(secondsMax);
  return { outcome, story: outcome.found === null ? null : story(search, outcome.found) };
}

/** Searches until a configuration shows what the rule is for. */
export async function searchWithout(rule: Rule) {
  for (const name of rule.configurations) {
    const configuration = [...CONFIGURATIONS, ...DEEP].find((one) => one.name === name);
    if (configuration === undefined) throw new Error(`there is no configuration "${name}"`);
    const found = await searchOne(configuration, rule.changes, SECONDS_MAX);
    if (found.story !== null) return { configuration, ...found, story: found.story };
  }
  return null;
}

export function row(name: string, outcome: Outcome): string {
  const { states, transitions, depth, localStates, localSteps, ends, seconds } = outcome;
  const end = outcome.found !== null ? "VIOLATION" : outcome.isExhausted ? "exhausted" : "cut off";
  const numbers = [states, transitions, depth, ends, localStates, localSteps]
    .map((number) => number.toLocaleString("en").padStart(10));
  return `${name.padEnd(14)}${numbers.join("")}${seconds.toFixed(1).padStart(8)} s  ${end}`;
}

const HEAD = `${"configuration".padEnd(14)}${
  ["states", "transitions", "depth", "ends", "host states", "host steps"]
    .map((text) => text.padStart(10)).join(" ")
}`;

/** For the tests: one search, its report as JSON. */
async function report(args: readonly string[]): Promise<number> {
  const [first, name] = args;
  const configuration = CONFIGURATIONS.find((one) => one.name === first);
  const rule = RULES.find((one) => one.name === name);
  const found = configuration !== undefined
    ? await searchOne(configuration, [])
    : first === "--without" && rule !== undefined
    ? await searchWithout(rule)
    : null;
  console.log(
    JSON.stringify(found === null ? null : { outcome: found.outcome, story: found.story }),
  );
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "--json") return await report(args.slice(1));
  if (args[0] === "--without") {
    const rule = [...RULES, ...NOT_SHOWN].find(({ name }) => name === args[1]);
    if (rule === undefined) {
      console.error(
        `There is no rule "${args[1]}"; the rules are\n  ${
          RULES.map(({ name }) => name).join("\n  ")
        }`,
      );
      return 2;
    }
    const found = await searchWithout(rule);
    if (found === null) {
      console.log(`Without "${rule.name}" nothing goes wrong in ${rule.configurations.join(", ")}`);
      return 1;
    }
    console.log(`Without "${rule.name}" (${found.configuration.name}):\n${found.story}`);
    return 0;
  }
  if (args[0] === "--rules") {
    for (const rule of [...RULES, ...NOT_SHOWN]) {
      if (args[1] !== undefined && !rule.name.includes(args[1])) continue;
      const found = await searchWithout(rule).catch((error: Error) => error);
      const text = found === null
        ? "NOTHING FOUND"
        : found instanceof Error
        ? `ERROR ${found.message}`
        : `${found.configuration.name} ${found.outcome.states} states ` +
          `${found.outcome.seconds.toFixed(1)} s: ${found.outcome.found?.breach.split("\n")[0]}`;
      console.log(`${rule.name.padEnd(60)} ${text}`);
    }
    return 0;
  }
  console.log(HEAD);
  let isSound = true;
  const chosen = [...CONFIGURATIONS, ...DEEP].filter((one) =>
    args.length > 0 ? args.includes(one.name) : CONFIGURATIONS.includes(one)
  );
  for (const configuration of chosen) {
    const { outcome, story } = await searchOne(configuration, []);
    console.log(row(configuration.name, outcome));
    if (story !== null) console.log(story);
    isSound &&= story === null;
  }
  return isSound ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
