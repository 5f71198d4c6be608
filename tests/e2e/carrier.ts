/**
 * Bytes over TCP and UDP between containers: this file is also the program that runs in them. It serves what it is sent back
 * to its sender, or sends to others and compares what comes back.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import type { Container } from "../../mod/lab/container.ts";
import { sleep } from "../../mod/lab/ping.ts";

const PORT = 5002;
const TRIES = 100;
const RETRY_MS = 20;

/** A container, by one of its addresses. */
export type Carrier = Pick<Container, "namespace" | "address">;

/** Everybody sends to everybody; throws when one byte is not as it was. */
export async function assertAllCarry(
  containers: readonly Carrier[],
  { tcpBytes, udpBytes }: { readonly tcpBytes: number; readonly udpBytes: number },
): Promise<void> {
  const servers = containers.map((container) => spawn(container, `--serve=${container.address}`));
  try {
    const clients = containers.map((container) => {
      const others = containers.filter((other) => other !== container).map((one) => one.address);
      const sizes = [`--tcp=${tcpBytes}`, `--udp=${udpBytes}`];
      return spawn(container, `--send=${others.join(",")}`, ...sizes);
    });
    const ends = await Promise.all(clients.map((client) => client.output()));
    for (const { code, stderr } of ends) assert.equal(code, 0, new TextDecoder().decode(stderr));
  } finally {
    for (const server of servers) {
      server.kill("SIGKILL");
      await server.output();
    }
  }
}

function spawn({ namespace }: Carrier, ...args: string[]): Deno.ChildProcess {
  const program = [Deno.execPath(), "run", "-A", "--unstable-net", "--no-check"];
  return namespace.spawn([...program, import.meta.filename ?? "", ...args], {
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function serve(hostname: string): Promise<void> {
  const udp = Deno.listenDatagram({ hostname, port: PORT, transport: "udp" });
  void (async () => {
    for await (const [bytes, from] of udp) await udp.send(bytes, from);
  })();
  for await (const connection of Deno.listen({ hostname, port: PORT })) {
    void connection.readable.pipeTo(connection.writable).catch(() => {});
  }
}

async function send(hostname: string, tcpBytes: number, udpBytes: number): Promise<void> {
  if (tcpBytes > 0) await sendTcp(hostname, filled(tcpBytes));
  if (udpBytes > 0) await sendUdp(hostname, filled(udpBytes));
}

async function sendTcp(hostname: string, wanted: Uint8Array<ArrayBuffer>): Promise<void> {
  const connection = await connected(hostname);
  const write = async () => {
    for (let at = 0; at < wanted.length;) at += await connection.write(wanted.subarray(at));
    await connection.closeWrite();
  };
  const writing = write();
  let at = 0;
  const chunk = new Uint8Array(65_536);
  for (let got; (got = await connection.read(chunk)) !== null; at += got) {
    for (let index = 0; index < got; index++) {
      if (chunk[index] !== wanted[at + index]) {
        throw new Error(`byte ${at + index} of TCP is wrong`);
      }
    }
  }
  await writing;
  connection.close();
  if (at !== wanted.length) throw new Error(`${at} of ${wanted.length} bytes came back`);
}

async function sendUdp(hostname: string, wanted: Uint8Array): Promise<void> {
  const any = hostname.includes(":") ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ hostname: any, port: 0, transport: "udp" });
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await socket.send(wanted, { transport: "udp", hostname, port: PORT });
      const timeout = sleep(200).then(() => null);
      const answer = await Promise.race([socket.receive(), timeout]);
      if (answer === null) continue;
      const [bytes] = answer;
      if (bytes.some((byte, index) => byte !== wanted[index]) || bytes.length !== wanted.length) {
        throw new Error("a datagram came back as another one");
      }
      return;
    }
    throw new Error("no datagram came back");
  } finally {
    socket.close();
  }
}

async function connected(hostname: string): Promise<Deno.TcpConn> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.connect({ hostname, port: PORT });
    } catch (error) {
      if (attempt === TRIES) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** No period that a segment could hide in: 251 is a prime number. */
function filled(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

if (import.meta.main) {
  const option = { type: "string" } as const;
  const options = { serve: option, send: option, tcp: option, udp: option };
  const { values } = parseArgs({ options });
  if (values.serve !== undefined) await serve(values.serve);
  const addresses = values.send?.split(",") ?? [];
  for (const address of addresses) await send(address, Number(values.tcp), Number(values.udp));
  if (addresses.length > 0) Deno.exit(0);
}
