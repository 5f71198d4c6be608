/**
 * Asks the agent over its control socket. HTTP/1.0 by hand: one request, one answer, then the connection ends. fetch()
 * over a unix socket costs every command 8 ms more (docs/adr/0010-cli-library.md).
 */
import { ExitCode, reasonOf, UserError } from "../base/errors.ts";

/** An agent that is well answers within milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Bytes of an answer: 10,000 members of 500 bytes are 5 MB; a factor of ten to spare. */
const ANSWER_BYTES_MAX = 50_000_000;
const READ_BYTES = 64 * 1024;

export interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** Where the agent of a run directory listens. */
export function socketPath(runDir: string): string {
  return `${runDir}/gossamer.sock`;
}

/** The JSON that the agent answers. Throws UserError with the contract's exit code. */
export async function askAgent(runDir: string, request: Request): Promise<unknown> {
  const path = socketPath(runDir);
  const connection = await connect(path);
  const timeoutMs = request.timeoutMs ?? ANSWER_TIMEOUT_MS;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    connection.close();
  }, timeoutMs);
  try {
    return readAnswer(await exchange(connection, request));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (timedOut) throw silent(path, timeoutMs);
    throw new UserError(`the agent on ${path} broke off: ${reasonOf(error)}`, {
      remedy: "look at its log, then try again",
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    if (!timedOut) connection.close();
  }
}

/** Whether an agent answers on the run directory's socket. */
export async function agentRuns(runDir: string): Promise<boolean> {
  try {
    (await connect(socketPath(runDir))).close();
    return true;
  } catch (error) {
    if (error instanceof UserError && error.exitCode === ExitCode.notRunning) return false;
    throw error;
  }
}

/** Throws UserError with the contract's exit code. */
export async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw notRunning(`there is no ${path}`);
    if (error instanceof Deno.errors.ConnectionRefused) {
      throw notRunning(`nobody answers on ${path}`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`this user may not talk to the agent on ${path}`, {
        exitCode: ExitCode.privilege,
        remedy: "run it as the user the agent runs as, usually root",
      });
    }
    throw new UserError(`cannot reach the agent on ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function notRunning(found: string): UserError {
  return new UserError(`no agent is running: ${found}`, {
    exitCode: ExitCode.notRunning,
    remedy: "start it with gossamer up, or name its directory with --run-dir",
  });
}

function silent(path: string, timeoutMs: number): UserError {
  return new UserError(`the agent on ${path} did not answer within ${timeoutMs / 1000} s`, {
    exitCode: ExitCode.notReady,
    remedy: "look at its log; restarting it leaves the overlay up",
  });
}

/** Sends the request. */
export async function send(connection: Deno.UnixConn, request: Request): Promise<void> {
  const body = request.body === undefined ? "" : JSON.stringify(request.body);
  const head = [
    `${request.method} ${request.path} HTTP/1.0`,
    "Host: gossamer",
    "Content-Type: application/json",
    `Content-Length: ${new TextEncoder().encode(body).length}`,
  ].join("\r\n");
  let out = new TextEncoder().encode(`${head}\r\n\r\n${body}`);
  while (out.length > 0) out = out.subarray(await connection.write(out));
}

async function exchange(connection: Deno.UnixConn, request: Request): Promise<string> {
  await send(connection, request);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let text = "";
  let bytes = 0;
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text + decoder.decode();
    bytes += count;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

/** The JSON of a whole answer. Throws UserError with the agent's words when it refused. */
export function readAnswer(text: string): unknown {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  const bodyAt = text.indexOf("\r\n\r\n");
  if (status === undefined || bodyAt < 0) throw new Error("it answered something that is not HTTP");
  let body: unknown;
  try {
    body = JSON.parse(text.slice(bodyAt + 4));
  } catch {
    throw new Error(`it answered ${status} and something that is not JSON`);
  }
  if (status.startsWith("2")) return body;
  throw refusal(status, body);
}

/** The agent's own words, from an ErrorAnswer. */
function refusal(status: string, body: unknown): UserError {
  const field = (name: string): string | undefined => {
    if (typeof body !== "object" || body === null) return undefined;
    const value: unknown = Reflect.get(body, name);
    return typeof value === "string" ? value : undefined;
  };
  const remedy = field("remedy");
  return new UserError(
    `the agent refused: ${field("error") ?? `status ${status}`}`,
    remedy === undefined ? {} : { remedy },
  );
}
