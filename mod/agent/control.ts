/** The control socket: HTTP on a unix socket in the run directory, for the command line and for scripts. */
import { ExitCode, UserError } from "../base/errors.ts";
import type {
  ErrorAnswer,
  JoinAnswer,
  LeaveAnswer,
  StatusDocument,
  SubnetsDocument,
} from "./api.ts";

/** What the control API can ask of the agent. */
export interface ControlTarget {
  status(): StatusDocument;
  subnets(): SubnetsDocument;
  join(seeds: readonly string[]): JoinAnswer;
  leave(release: boolean): Promise<LeaveAnswer>;
}

/** Bytes of a request body: a join of 100 seeds of 255 characters is 26 kB. */
const BODY_BYTES_MAX = 64 * 1024;

/** Where the agent of a run directory listens. */
export function controlSocketPath(runDir: string): string {
  return `${runDir}/gossamer.sock`;
}

export class ControlServer {
  readonly #path: string;
  readonly #server: Deno.HttpServer;

  constructor(path: string, server: Deno.HttpServer) {
    this.#path = path;
    this.#server = server;
  }

  /** Listens, replacing a socket that a killed agent left behind. Throws UserError when an agent is there. */
  static async open(runDir: string, target: ControlTarget): Promise<ControlServer> {
    const path = controlSocketPath(runDir);
    prepareDirectory(runDir);
    await removeLeftover(path);
    const umask = Deno.umask(0o177); // the socket is 0600 from its first moment
    try {
      const server = Deno.serve(
        { path, transport: "unix", onListen() {} },
        (request) => handle(request, target),
      );
      return new ControlServer(path, server);
    } finally {
      Deno.umask(umask);
    }
  }

  /** Answers what is under way, stops listening and removes the socket. */
  async close(): Promise<void> {
    await this.#server.shutdown();
    try {
      Deno.removeSync(this.#path);
    } catch {
      // Somebody was quicker.
    }
  }
}

async function handle(request: Request, target: ControlTarget): Promise<Response> {
  const route = `${request.method} ${new URL(request.url).pathname}`;
  try {
    switch (route) {
      case "GET /status":
        return Response.json(target.status());
      case "GET /subnets":
        return Response.json(target.subnets());
      case "POST /join":
        return Response.json(target.join(seedsOf(await bodyOf(request))));
      case "POST /leave":
        return Response.json(await target.leave(releaseOf(await bodyOf(request))));
      default:
        return refuse(404, `unknown request ${route}`);
    }
  } catch (error) {
    if (error instanceof UserError) return refuse(400, error.message, error.remedy);
    return refuse(500, error instanceof Error ? error.message : String(error));
  }
}

function refuse(status: number, error: string, remedy?: string): Response {
  const answer: ErrorAnswer = remedy === undefined ? { error } : { error, remedy };
  return Response.json(answer, { status });
}

async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text.length > BODY_BYTES_MAX) {
    throw new UserError(`a body of ${text.length} bytes is too long`);
  }
  try {
    const body: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  } catch {
    // Falls through to the same answer.
  }
  throw new UserError("the body is not a JSON object");
}

function seedsOf(body: Record<string, unknown>): string[] {
  const seeds = body["seeds"];
  if (Array.isArray(seeds) && seeds.length > 0 && seeds.every((seed) => typeof seed === "string")) {
    return seeds;
  }
  throw new UserError('"seeds" must be a list of at least one HOST[:PORT]');
}

function releaseOf(body: Record<string, unknown>): boolean {
  const release = body["release"] ?? false;
  if (typeof release === "boolean") return release;
  throw new UserError('"release" must be true or false');
}

function prepareDirectory(runDir: string): void {
  try {
    Deno.mkdirSync(runDir, { recursive: true, mode: 0o755 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const denied = error instanceof Deno.errors.PermissionDenied;
    throw new UserError(`the run directory ${runDir} cannot be used: ${reason}`, {
      exitCode: denied ? ExitCode.privilege : ExitCode.failed,
      remedy: "give a writable directory with --run-dir",
      cause: error,
    });
  }
}

/** A socket file that nobody answers on is left over from an agent that was killed. */
async function removeLeftover(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.ConnectionRefused) return Deno.removeSync(path);
    throw error;
  }
  throw new UserError(`an agent is already running: it answers on ${path}`, {
    remedy: "look at it with gossamer status, or give this one its own --run-dir and --state-dir",
  });
}
