/** The control socket: HTTP on a unix socket in the run directory, for the command line and for scripts. */
import { ExitCode, reasonOf, UserError } from "../base/errors.ts";
import type {
  ErrorAnswer,
  ForgetAnswer,
  GossipPingDocument,
  JoinAnswer,
  KeysAnswer,
  KeysDocument,
  LeaveAnswer,
  PoolAnswer,
  PoolDocument,
  StatusDocument,
  SubnetsDocument,
  WhyDocument,
} from "./api.ts";
import type { PlanDocument } from "./overlay_documents.ts";
import type { PoolChange } from "./pool_change.ts";
import { STATUS_SCHEMA } from "./api/names.ts";
import type { EventFeed } from "./event_feed.ts";
import { METRICS_TYPE } from "./metrics.ts";
import {
  forgetOf,
  hostOf,
  type KeyChange,
  keyChangeOf,
  poolChangeOf,
  readBody,
  releaseOf,
  seedsOf,
} from "./request_body.ts";

/** What the control API can ask of the agent. */
export interface ControlTarget {
  status(): StatusDocument;
  subnets(): SubnetsDocument;
  why(what: string): WhyDocument;
  metrics(): string;
  readonly events: EventFeed;
  plan(): PlanDocument;
  join(seeds: readonly string[]): JoinAnswer;
  leave(release: boolean): Promise<LeaveAnswer>;
  forget(host: string, force: boolean): ForgetAnswer;
  keys(): Promise<KeysDocument>;
  changeKeys(change: KeyChange, force: boolean): Promise<KeysAnswer>;
  ping(host: string): Promise<GossipPingDocument>;
  pool(): PoolDocument;
  changePool(change: PoolChange): PoolAnswer;
}

/** Where the agent of a run directory listens. */
export function controlSocketPath(runDir: string): string {
  return `${runDir}/gossamer.sock`;
}

/** How often the agent looks whether its socket is still there: one lstat(2). */
const LOOK_INTERVAL_MS = 5_000;
/** Answers are made within milliseconds; only clients, and other hosts that are asked for their keys, take longer. */
const SHUTDOWN_MS_MAX = 500;

export class ControlServer {
  readonly #runDir: string;
  readonly #target: ControlTarget;
  readonly #timer: ReturnType<typeof setInterval>;
  #server: Deno.HttpServer;
  #isRestoring = false;
  #isClosed = false;

  private constructor(runDir: string, target: ControlTarget) {
    this.#runDir = runDir;
    this.#target = target;
    this.#server = listen(runDir, target);
    this.#timer = setInterval(() => void this.restore(), LOOK_INTERVAL_MS);
  }

  /** Listens, replacing a socket that a killed agent left behind. Throws UserError when an agent is there. */
  static async open(runDir: string, target: ControlTarget): Promise<ControlServer> {
    await prepareRunDirectory(runDir);
    return new ControlServer(runDir, target);
  }

  /** Listens anew when somebody removed the socket, as cleaners of /run do: nobody could find the agent any more. */
  async restore(): Promise<void> {
    if (this.#isClosed || this.#isRestoring) return;
    this.#isRestoring = true;
    try {
      if (isThere(controlSocketPath(this.#runDir))) return;
      await shutDown(this.#server); // first: a server that ends removes what is at its path
      if (this.#isClosed) return;
      makeDirectory(this.#runDir);
      this.#server = listen(this.#runDir, this.#target);
    } catch {
      // Not yet: the next look tries again.
    } finally {
      this.#isRestoring = false;
    }
  }

  /** Answers what is under way, stops listening and removes the socket. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await shutDown(this.#server);
    try {
      Deno.removeSync(controlSocketPath(this.#runDir));
    } catch {
      // Somebody was quicker.
    }
  }
}

/** Stops listening and answers what is under way, but waits for no client that does not finish its request. */
async function shutDown(server: Deno.HttpServer): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SHUTDOWN_MS_MAX);
  });
  await Promise.race([server.shutdown(), late]);
  clearTimeout(timer);
}

/** Makes the directory and clears a killed agent's socket away. Throws UserError when that cannot be, or an agent is there. */
export async function prepareRunDirectory(runDir: string): Promise<void> {
  makeDirectory(runDir);
  await removeLeftover(controlSocketPath(runDir));
}

function listen(runDir: string, target: ControlTarget): Deno.HttpServer {
  const umask = Deno.umask(0o177); // the socket is 0600 from its first moment
  try {
    return Deno.serve(
      { path: controlSocketPath(runDir), transport: "unix", onListen() {} },
      (request) => handle(request, target),
    );
  } finally {
    Deno.umask(umask);
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function handle(request: Request, target: ControlTarget): Promise<Response> {
  try {
    // What a stranger to HTTP says may be no URL at all.
    const { pathname = "of no path", searchParams } = URL.parse(request.url) ?? {};
    const route = `${request.method} ${pathname}`;
    switch (route) {
      case "GET /status":
        return Response.json(target.status());
      case "GET /subnets":
        return Response.json(target.subnets());
      case "GET /subnets/why":
        return Response.json(target.why(searchParams?.get("of") ?? ""));
      case "GET /metrics":
        return new Response(target.metrics(), { headers: { "Content-Type": METRICS_TYPE } });
      case "GET /events":
        return await streamEvents(target.events, searchParams?.get("recent") === "true");
      case "GET /events/recent":
        return Response.json({ schema: STATUS_SCHEMA, events: target.events.recent() });
      case "GET /plan":
        return Response.json(target.plan());
      case "GET /keys":
        return Response.json(await target.keys());
      case "POST /keys": {
        const { change, force } = keyChangeOf(await readBody(request));
        return Response.json(await target.changeKeys(change, force));
      }
      case "POST /ping":
        return Response.json(await target.ping(hostOf(await readBody(request))));
      case "GET /pool":
        return Response.json(target.pool());
      case "POST /pool":
        return Response.json(target.changePool(poolChangeOf(await readBody(request))));
      case "POST /join":
        return Response.json(target.join(seedsOf(await readBody(request))));
      case "POST /forget": {
        const { host, force } = forgetOf(await readBody(request));
        return Response.json(target.forget(host, force));
      }
      case "POST /leave":
        return Response.json(await target.leave(releaseOf(await readBody(request))));
      default:
        return refuse(404, `unknown request ${route}`);
    }
  } catch (error) {
    if (error instanceof UserError) return refuse(400, error.message, error.remedy);
    return refuse(500, reasonOf(error));
  }
}

/** Loaded when somebody asks: most agents are never listened to. */
async function streamEvents(events: EventFeed, withRecent: boolean): Promise<Response> {
  const { eventStream } = await import("./event_stream.ts");
  const headers = { "Content-Type": "application/jsonl" };
  return new Response(eventStream(events, withRecent), { headers });
}

function refuse(status: number, error: string, remedy?: string): Response {
  const answer: ErrorAnswer = remedy === undefined ? { error } : { error, remedy };
  return Response.json(answer, { status });
}

function makeDirectory(runDir: string): void {
  try {
    Deno.mkdirSync(runDir, { recursive: true, mode: 0o755 });
  } catch (error) {
    const reason = reasonOf(error);
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
