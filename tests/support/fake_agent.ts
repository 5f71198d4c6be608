/** An agent's control socket in a folder of its own, with fixed answers. */
import { FAILED, READY, SUBNETS } from "./documents.ts";

export interface FakeAnswer {
  readonly status?: number;
  readonly body: unknown;
}

export class FakeAgent {
  readonly runDir: string;
  /** Requests as they came: `POST /join {"seeds":["a"]}`. */
  readonly requests: string[] = [];
  readonly answers = new Map<string, FakeAnswer>([
    ["GET /status", { body: READY }],
    ["GET /subnets", { body: SUBNETS }],
    ["GET /events/recent", { body: { schema: 1, events: [FAILED] } }],
    ["GET /plan", {
      body: { schema: 1, want: "unchanged", wanted: "", changes: "", obstacles: [] },
    }],
    ["POST /join", { body: { seeds: ["10.0.0.9"] } }],
    ["POST /forget", {
      body: { id: "3d".repeat(16), name: "h3", address: "192.168.100.3:7947", status: "dead" },
    }],
    ["POST /leave", { body: { released: "10.244.7.0/24" } }],
  ]);
  readonly #server: Deno.HttpServer;

  constructor() {
    this.runDir = Deno.makeTempDirSync({ prefix: "gossamer-cli-" });
    this.#server = Deno.serve(
      { path: `${this.runDir}/gossamer.sock`, transport: "unix", onListen() {} },
      (request) => this.#answer(request),
    );
  }

  async #answer(request: Request): Promise<Response> {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    this.requests.push(text === "" ? route : `${route} ${text}`);
    const answer = this.answers.get(route);
    if (answer === undefined) return Response.json({ error: `unknown ${route}` }, { status: 404 });
    if (typeof answer.body === "string") return new Response(answer.body);
    return Response.json(answer.body, { status: answer.status ?? 200 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    Deno.removeSync(this.runDir, { recursive: true });
  }
}
