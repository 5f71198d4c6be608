/**
 * The exhaustive search in CI: every configuration to its end with all rules on, and each rule switched off in turn, which
 * must show. Two at a time, each in a process of its own.
 */
import assert from "node:assert/strict";
import { CONFIGURATIONS } from "./configurations.ts";
import { Hosts } from "./hosts.ts";
import { openTree } from "./opened_tree.ts";
import { RULES } from "./rules.ts";
import { type Outcome, Search } from "./search.ts";
import { partings } from "./soundness.ts";

/** As many searches at once as there are cores in CI. */
const WORKERS = 2;
/** One that takes so long is stuck. */
const SEARCH_MS_MAX = 180_000;
const PAIRS = 300;
/** To its end, which takes 5 s on an idle core: then the pairs are the same each time. */
const SOUNDNESS_SECONDS = 120;

interface Report {
  readonly outcome: Outcome;
  readonly story: string | null;
}

const waiting: (() => Promise<void>)[] = [];
let running = 0;

/** Runs the command when a worker is free. */
function inTurn(args: readonly string[]): Promise<Report | null> {
  return new Promise((resolve, reject) => {
    waiting.push(() => searchApart(args).then(resolve, reject));
    next();
  });
}

function next(): void {
  if (running >= WORKERS) return;
  const job = waiting.shift();
  if (job === undefined) return;
  running++;
  job().finally(() => {
    running--;
    next();
  });
}

async function searchApart(args: readonly string[]): Promise<Report | null> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "tests/search/main.ts", "--json", ...args],
    cwd: decodeURIComponent(new URL("../../", import.meta.url).pathname),
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(SEARCH_MS_MAX),
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

/** The searches all begin with the first test, so they are not its own. */
const apart = { sanitizeOps: false, sanitizeResources: false };
const started = new Map<string, Promise<Report | null>>();

function report(key: string): Promise<Report | null> {
  if (started.size === 0) {
    for (const { name } of CONFIGURATIONS) started.set(name, inTurn([name]));
    for (const { name, noticedBy } of RULES) {
      if (noticedBy === undefined) started.set(name, inTurn(["--without", name]));
    }
    for (const promise of started.values()) promise.catch(() => {}); // its own test tells
  }
  return started.get(key) ?? Promise.reject(new Error(`there is no search "${key}"`));
}

for (const { name } of CONFIGURATIONS) {
  Deno.test({
    name: `all rules hold in every state of "${name}"`,
    ...apart,
    fn: async () => {
      const found = await report(name);
      assert.ok(found !== null);
      assert.equal(found.story, null);
      const { states, transitions, seconds, isExhausted } = found.outcome;
      console.log(`${name}: ${states} states, ${transitions} transitions, ${seconds.toFixed(1)} s`);
      assert.ok(isExhausted, "the search came to its end");
    },
  });
}

for (const { name, noticedBy } of RULES) {
  if (noticedBy !== undefined) continue;
  Deno.test({
    name: `a counter-example without the rule: ${name}`,
    ...apart,
    fn: async () => {
      const found = await report(name);
      assert.ok(found !== null, "nothing goes wrong without it: is it needed, and is it checked?");
      assert.ok(found.story !== null && found.story.includes("=>"));
    },
  });
}

Deno.test("states that are taken for one behave as one", async () => {
  const configuration = CONFIGURATIONS.find(({ name }) => name === "crashes");
  assert.ok(configuration !== undefined);
  const hosts = new Hosts(await openTree([]), configuration);
  new Search(hosts, configuration).run(SOUNDNESS_SECONDS);
  assert.deepEqual(partings(hosts, PAIRS, 1), []);
});
