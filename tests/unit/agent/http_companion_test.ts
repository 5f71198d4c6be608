/** `--http` beside the agent: an address that is taken, a socket that is left over, and nobody is held up. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Inside } from "../../../mod/agent/companions.ts";
import { openHttp } from "../../../mod/agent/http_companion.ts";
import { Log } from "../../../mod/base/log.ts";

function insideWith(lines: string[]): Inside {
  const write = (line: string) => void lines.push(line);
  const log = new Log({
    level: "info",
    format: "text",
    write,
    now: () => "2026-01-02T03:04:05.000Z",
  });
  // Only /healthz is asked for, and that looks at nothing.
  return { log } as Inside;
}

async function health(path: string, asked = "/healthz"): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`GET ${asked} HTTP/1.0\r\n\r\n`));
  return await new Response(connection.readable).text();
}

Deno.test("a socket that a killed agent left over is replaced, other files are not", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/http.sock`;
  const lines: string[] = [];
  const killed = Deno.listen({ transport: "unix", path });
  Deno.renameSync(path, `${path}.kept`); // closing would remove it
  killed.close();
  Deno.renameSync(`${path}.kept`, path);
  const companion = await openHttp({ kind: "unix", path }, insideWith(lines));
  match(await health(path), /\r\n\r\nok\n$/);
  deepEqual(companion.problems?.(), []);
  await companion.close();
  equal(lines.filter((line) => line.includes("warning")).length, 0);

  Deno.writeTextFileSync(path, "somebody's");
  const other = await openHttp({ kind: "unix", path }, insideWith(lines));
  equal(other.problems?.()[0]?.code, "http-not-open");
  await other.close();
  equal(Deno.readTextFileSync(path), "somebody's");
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a port that is taken is a problem and no fault", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const lines: string[] = [];
  const place = { kind: "tcp", address: "127.0.0.1", port } as const;
  const companion = await openHttp(place, insideWith(lines));
  const [problem] = companion.problems?.() ?? [];
  ok(problem?.text.startsWith(`--http http://127.0.0.1:${port} cannot be listened on: `));
  equal(lines.length, 1);
  await companion.close();
  taken.close();
});

Deno.test("an address that others reach is warned of", async () => {
  const free = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = free.addr;
  free.close();
  const lines: string[] = [];
  const place = { kind: "tcp", address: "0.0.0.0", port } as const;
  const companion = await openHttp(place, insideWith(lines));
  await companion.close();
  match(lines.join("\n"), /warning anybody who reaches this address may read/);
});

Deno.test("what cannot be answered is a line of the log, once, and nothing to the client", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/http.sock`;
  const lines: string[] = [];
  const companion = await openHttp({ kind: "unix", path }, insideWith(lines));
  for (let count = 0; count < 2; count++) {
    const answer = await health(path, "/metrics");
    match(answer, /^HTTP\/1\.1 500 /);
    ok(!answer.includes("undefined"), answer);
  }
  await companion.close();
  const faults = lines.filter((line) => line.includes("HTTP could not be answered"));
  equal(faults.length, 1, lines.join("\n"));
  match(faults[0] ?? "", /\/metrics.*undefined/);
  Deno.removeSync(folder, { recursive: true });
});
