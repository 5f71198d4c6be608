/**
 * One TCP connection between two containers that lives through a whole scenario: a number is sent every few milliseconds,
 * and whatever comes back in order is counted. This file is also the program that runs at either end.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import type { Container } from "../../mod/lab/container.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { TextLineStream } from "./text_lines.ts";

const PORT = 5001;
const INTERVAL_MS = 20;
const POLL_MS = 5;

/** A connection under way. */
export class TcpStream {
  readonly #server: Deno.ChildProcess;
  readonly #client: Deno.ChildProcess;
  #echoed = 0;
  #end: string | null = null;

  /** Connects `from` to `to`; settles when the first number came back. */
  static async open(from: Container, to: Container): Promise<TcpStream> {
    const stream = new TcpStream(from, to);
    while (stream.echoed === 0) {
      assert.equal(stream.end, null, "the connection was made");
      await sleep(POLL_MS);
    }
    return stream;
  }

  private constructor(from: Container, to: Container) {
    const run = (container: Container, role: string) =>
      container.namespace.spawn(
        [
          Deno.execPath(),
          "run",
          "-A",
          "--no-check",
          import.meta.filename ?? "",
          `--${role}=${to.address}`,
        ],
        { stdin: "null", stdout: "piped", stderr: "inherit" },
      );
    this.#server = run(to, "serve");
    this.#client = run(from, "send");
    void this.#follow();
  }

  /** How many numbers came back, in order and without a gap. */
  get echoed(): number {
    return this.#echoed;
  }

  /** Why the connection ended; null while it lives. */
  get end(): string | null {
    return this.#end;
  }

  /** Waits until something that is sent from now on came back; throws when the connection broke or nothing moves. */
  async moves(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    const before = this.#echoed;
    while (this.#echoed < before + 2) {
      assert.equal(this.#end, null, "the connection lives");
      assert.ok(performance.now() < deadline, `nothing came back within ${withinMs} ms`);
      await sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    for (const process of [this.#client, this.#server]) {
      process.kill("SIGKILL");
      await process.status;
    }
  }

  async #follow(): Promise<void> {
    void this.#server.stdout.cancel();
    const lines = this.#client.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      if (line.startsWith("end ")) this.#end = line;
      else if (Number(line) === this.#echoed + 1) this.#echoed++;
      else this.#end ??= `${line} came after ${this.#echoed}`;
    }
    this.#end ??= "the program ended";
  }
}

async function serve(hostname: string): Promise<void> {
  const listener = Deno.listen({ hostname, port: PORT });
  for await (const connection of listener) void connection.readable.pipeTo(connection.writable);
}

async function send(hostname: string): Promise<void> {
  const connection = await connectWhenThere(hostname);
  const receive = async () => {
    const lines = connection.readable.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) console.log(line);
  };
  const transmit = async () => {
    for (let number = 1;; number++) {
      await connection.write(new TextEncoder().encode(`${number}\n`));
      await sleep(INTERVAL_MS);
    }
  };
  await Promise.race([receive(), transmit()]).catch((error) => console.log(`end ${error}`));
  Deno.exit(1);
}

async function connectWhenThere(hostname: string): Promise<Deno.TcpConn> {
  while (true) {
    try {
      return await Deno.connect({ hostname, port: PORT });
    } catch {
      await sleep(POLL_MS);
    }
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { serve: { type: "string" }, send: { type: "string" } },
  });
  if (values.serve !== undefined) await serve(values.serve);
  if (values.send !== undefined) await send(values.send);
}
