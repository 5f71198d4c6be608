/** `gossamer keys`: the gossip keys of the cluster, changed on all hosts while they run. */
import type { KeysAnswer, KeysRequest } from "../../agent/api.ts";
import { ExitCode, UserError } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, type Given, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { nearest } from "../../base/nearest.ts";
import type { Outside } from "../outside.ts";
import { paintFor, plainPaint } from "../paint.ts";
import { continued } from "../say_error.ts";

/** Hosts that do not answer are waited for, some at a time; the agent itself gives up before this. */
const ANSWER_TIMEOUT_MS = 300_000;
/** A person who waits longer wonders why. */
const PATIENCE_MS = 2_000;

/** As `fingerprintOf` of mod/wire/keyring.ts makes them. */
const FINGERPRINT_PATTERN = /^[0-9a-f]{8}$/i;
/** Anything much longer may be a key, which no error repeats. */
const FINGERPRINT_SHOWN_MAX = 16;

/** What can be done, and what stands behind it. */
const ACTIONS: ReadonlyMap<string, "FILE" | "FINGERPRINT" | null> = new Map([
  ["generate", null],
  ["list", null],
  ["install", "FILE"],
  ["use", "FINGERPRINT"],
  ["remove", "FINGERPRINT"],
]);

export const keysCommand: Command = {
  name: "keys",
  brief: "Show and change the gossip keys of all hosts",
  description:
    `Changes the keys that gossip is encrypted with on every host, and in every host's key
file, while the cluster runs. A new key takes three steps: install gives it to all
hosts, use makes all of them encrypt with it, remove takes the old one away.

use and remove change nothing, and name the hosts, as long as a host would be left
behind. With exit code 1 a step is not complete: repeat it when the hosts named are
there.

Keys are named by their fingerprints, which are not secret. A key itself is read from a
file or, for -, from standard input.`,
  examples: [
    { line: "gossamer keys generate > new.key", text: "make a key; no agent is needed" },
    { line: "gossamer keys list", text: "who has which key" },
    { line: "gossamer keys install new.key", text: "give it to every host" },
    { line: "gossamer keys use 7c1f3a90", text: "encrypt with it everywhere" },
    { line: "gossamer keys remove 02b6d1f0", text: "take the old one away" },
  ],
  flags: [
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Use or remove even though hosts that do not answer may be left behind",
    },
    JSON_FLAG,
    runDirFlag(),
  ],
  arguments: {
    placeholder: "ACTION [FILE | FINGERPRINT]",
    minimum: 1,
    text: "What to do, and with which key",
    once: true,
  },
  async run(outside, given) {
    const [action = "", operand = ""] = checkedArguments(given);
    switch (action) {
      case "generate":
        return await generate(outside, given);
      case "list":
        return await list(outside, given);
      case "install": {
        const { readKey } = await import("../key_input.ts");
        const key = await readKey(outside, operand);
        return await change(outside, given, { operation: "install", key });
      }
      default: {
        const operation = action === "use" ? "use" : "remove";
        const force = givenSwitch(given, "force");
        const fingerprint = checkedFingerprint(operand, action);
        return await change(outside, given, { operation, fingerprint, force });
      }
    }
  },
};

function checkedArguments(given: Given): readonly string[] {
  const [action = "", ...rest] = given.arguments;
  const operand = ACTIONS.get(action);
  const known = [...ACTIONS.keys()];
  if (operand === undefined) {
    const meant = nearest(action, known);
    const remedy = meant === undefined ? `give ${known.join(", ")}` : `did you mean ${meant}?`;
    throw usage(`${JSON.stringify(action)} is no action`, remedy);
  }
  const line = `gossamer keys ${action}${operand === null ? "" : ` ${operand}`}`;
  if (operand !== null && rest.length === 0) {
    throw usage(`${action}: ${operand} is missing`, `write ${line}`);
  }
  if (rest.length > (operand === null ? 0 : 1)) {
    throw usage(
      `${action}: ${JSON.stringify(rest.at(-1))} is one argument too many`,
      `write ${line}`,
    );
  }
  if (givenSwitch(given, "force") && action !== "use" && action !== "remove") {
    throw usage(`${action}: there is nothing to force`, "leave --force out");
  }
  return given.arguments;
}

function checkedFingerprint(text: string, action: string): string {
  if (FINGERPRINT_PATTERN.test(text)) return text.toLowerCase();
  const isLong = text.length > FINGERPRINT_SHOWN_MAX;
  const shown = isLong ? `a text of ${text.length} characters` : JSON.stringify(text);
  throw usage(
    `${action}: ${shown} is no fingerprint, which has 8 hexadecimal digits`,
    "gossamer keys list shows them",
  );
}

function usage(message: string, remedy: string): UserError {
  return new UserError(`keys: ${message}`, { exitCode: ExitCode.usage, remedy });
}

async function generate(outside: Outside, given: Given): Promise<ExitCode> {
  const { KEY_BYTES } = await import("../../wire/aead.ts");
  const { fingerprintOf } = await import("../../wire/keyring.ts");
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const key = bytes.toBase64();
  const fingerprint = fingerprintOf(bytes);
  if (givenSwitch(given, "json")) {
    printJson(outside, { schema: 1, key, fingerprint });
  } else {
    outside.print(`${key}\n`);
    outside.say(`fingerprint ${fingerprint}`);
  }
  return ExitCode.done;
}

async function list(outside: Outside, given: Given): Promise<ExitCode> {
  const { keysOf } = await import("../documents.ts");
  const document = keysOf(await ask(outside, given));
  const { hosts, unanswered } = document;
  if (givenSwitch(given, "json")) {
    printJson(outside, document);
  } else {
    const { renderKeys } = await import("../render_keys.ts");
    outside.print(renderKeys(document, paintFor(outside)));
  }
  if (unanswered.length === 0) return ExitCode.done;
  outside.say(`gossamer: ${unanswered.length} of ${hosts} hosts did not answer`);
  return ExitCode.failed;
}

async function change(outside: Outside, given: Given, request: KeysRequest): Promise<ExitCode> {
  const { keysAnswerOf } = await import("../documents.ts");
  const answer = keysAnswerOf(await ask(outside, given, request));
  if (givenSwitch(given, "json")) printJson(outside, answer);
  await tell(outside, answer);
  return answer.refused === null && answer.failed.length === 0 ? ExitCode.done : ExitCode.failed;
}

/** Asks for a change, or for the list; on a terminal, says what the wait is for when it is long. */
async function ask(outside: Outside, given: Given, request?: KeysRequest): Promise<unknown> {
  const { askAgent } = await import("../control_client.ts");
  const runDir = await runDirOf(outside, given);
  const common = { path: "/keys", timeoutMs: ANSWER_TIMEOUT_MS } as const;
  const timer = setTimeout(() => {
    if (outside.talkIsTerminal) {
      outside.say("waiting for hosts that do not answer");
    }
  }, PATIENCE_MS);
  try {
    return await askAgent(
      runDir,
      request === undefined
        ? { ...common, method: "GET" }
        : { ...common, method: "POST", body: request },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** One line that says how it went, and the hosts that are the reason when it did not go. */
async function tell(outside: Outside, answer: KeysAnswer): Promise<void> {
  const { printable } = await import("../columns.ts");
  const { operation, refused, failed, done, hosts } = answer;
  if (refused !== null) {
    const why = `${continued(refused.text)} - ${continued(refused.remedy)}`;
    outside.say(`gossamer: keys ${operation}: ${printable(why)}`);
  } else if (failed.length > 0) {
    outside.say(
      `gossamer: keys ${operation}: done on ${done} of ${hosts} hosts - repeat it when these are ` +
        "back or mended",
    );
  } else outside.say(success(answer));
  if (failed.length === 0) return;
  const { renderKeyHosts } = await import("../render_keys.ts");
  outside.say(renderKeyHosts(failed, plainPaint));
}

function success({ operation, fingerprint, hosts }: KeysAnswer): string {
  const all = hosts === 1 ? "the only host" : `all ${hosts} hosts`;
  switch (operation) {
    case "install":
      return `${fingerprint} is on ${all}; gossamer keys use ${fingerprint} makes them encrypt with it`;
    case "use":
      return `${all} ${hosts === 1 ? "encrypts" : "encrypt"} with ${fingerprint}; ` +
        "gossamer keys list shows what can be removed";
    case "remove":
      return hosts === 1
        ? `${fingerprint} is no longer on this host, the only one`
        : `${fingerprint} is on none of the ${hosts} hosts any more`;
  }
}
