/** Runs another plugin, as the specification says (section 4): same variables, another configuration. */
import { systemReasonOf } from "../base/errors.ts";
import type { CniCall, CniCommand } from "./call.ts";
import { type CniCode, CniCode as Code, CniError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

export interface DelegateCall {
  readonly call: CniCall;
  /** When it is not the call's own. */
  readonly command?: CniCommand;
  /** When they are not the call's own: of an attachment that GC removes. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly type: string;
  readonly config: JsonObject;
}

/** What the plugin printed. Throws CniError: the plugin's own, code 7 when there is no such plugin. */
export async function runDelegate(request: DelegateCall): Promise<string> {
  const { call, type, command = call.command, variables = {} } = request;
  const path = findPlugin(type, call.path);
  const child = new Deno.Command(path, {
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    env: { ...variables, CNI_COMMAND: command },
  }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(JSON.stringify(request.config)))
    .then(() => writer.close())
    .catch(() => {}); // it did not read all of it; what it answers says why
  const [{ success, code, stdout }] = await Promise.all([child.output(), written]);
  const text = new TextDecoder().decode(stdout);
  if (!success) throw failureOf(text, `${type} ended with exit code ${code}`);
  return text;
}

/** Throws CniError code 7. */
export function findPlugin(type: string, folders: readonly string[]): string {
  for (const folder of folders) {
    const path = `${folder}/${type}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new CniError(Code.ioFailure, `${path}: ${systemReasonOf(error)}`, "", error);
    }
  }
  const where = folders.length === 0 ? "CNI_PATH is empty" : `not in ${folders.join(", ")}`;
  throw new CniError(
    Code.invalidConfig,
    `there is no plugin ${type}: ${where}`,
    'install it, or use the built-in bridge: "type": "gossamer" without delegate.type',
  );
}

function failureOf(text: string, otherwise: string): CniError {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null;
  }
  if (!isJsonObject(answer) || typeof answer.code !== "number") {
    return new CniError(Code.failed, otherwise, text.trim().slice(0, 1000));
  }
  const known = Object.values(Code).find((one): one is CniCode => one === answer.code);
  const message = typeof answer.msg === "string" ? answer.msg : otherwise;
  return new CniError(
    known ?? Code.failed,
    message,
    typeof answer.details === "string" ? answer.details : "",
  );
}
