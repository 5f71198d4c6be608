/** `gossamer monitor`: what people and machines read of events, and how it ends. */
import { equal, match, rejects, throws } from "node:assert/strict";
import { eventLine, eventOf } from "../../../mod/cli/event_documents.ts";
import { monitor } from "../../../mod/cli/monitor.ts";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { UserError } from "../../../mod/base/errors.ts";
import { FAILED } from "../../support/documents.ts";
import { FakeAgent } from "../../support/fake_agent.ts";
import { FakeOutside } from "../../support/fake_outside.ts";

const PLAIN = { asJson: false, withRecent: false };

Deno.test("an event is one line, whatever hosts call themselves", () => {
  equal(
    eventLine(FAILED, plainPaint),
    "2026-01-02 05:02:30Z member-failed    storage-node-3.example failed; its subnet stays its own\n",
  );
  const hostile = { ...FAILED, text: "a\nb\u001b[31mc\u202ed" };
  match(eventLine(hostile, plainPaint), /a\ufffdb\ufffd\[31mc\ufffdd\n$/);
  const problem = { ...FAILED, event: "problem-raised", text: "Found", remedy: "Do" } as const;
  match(eventLine(problem, plainPaint), /problem-raised {3}Found; remedy: Do\n$/);
  const dropped = { schema: 1, event: "events-dropped", count: 3 } as const;
  equal(eventLine(dropped, plainPaint), "3 events were left out: this reader is too slow\n");
});

Deno.test("what is no event is not believed", () => {
  for (const line of ["", "x", "[]", "null", '{"event":"a"}', '{"event":"events-dropped"}']) {
    throws(() => eventOf(line), UserError, line);
  }
  equal(
    eventOf(JSON.stringify({ ...FAILED, event: "of-a-later-version" })).event,
    "of-a-later-version",
  );
});

Deno.test("events are printed as they come, and the end of the agent is exit code 3", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("GET /events", { body: `\n${JSON.stringify(FAILED)}\n{"half` });
  const outside = new FakeOutside();
  await rejects(monitor(outside, agent.runDir, PLAIN), (error) => {
    match(String(error), /the agent on .* ended/);
    return error instanceof UserError && error.exitCode === 3;
  });
  equal(outside.stdout.split("\n").length, 2);
  const machine = new FakeOutside();
  await rejects(monitor(machine, agent.runDir, { asJson: true, withRecent: false }));
  equal(machine.stdout, `${JSON.stringify(FAILED)}\n`);
});

Deno.test("an agent without events, and none at all, are told", async () => {
  await using agent = new FakeAgent();
  await rejects(monitor(new FakeOutside(), agent.runDir, PLAIN), /unknown GET \/events/);
  await rejects(
    monitor(new FakeOutside(), "/nowhere", PLAIN),
    (error) => error instanceof UserError && error.exitCode === 3,
  );
});

Deno.test("interrupted, it ends with 0", async () => {
  const folder = Deno.makeTempDirSync();
  const outside = new FakeOutside();
  const server = Deno.serve(
    { path: `${folder}/gossamer.sock`, transport: "unix", onListen() {} },
    () => {
      const start = (controller: ReadableStreamDefaultController<string>) =>
        controller.enqueue(`${JSON.stringify(FAILED)}\n`);
      return new Response(new ReadableStream({ start }).pipeThrough(new TextEncoderStream()));
    },
  );
  const print = outside.print;
  Object.assign(outside, {
    print(text: string) {
      print(text);
      outside.interruptions.abort();
    },
  });
  equal(await monitor(outside, folder, PLAIN), 0);
  match(outside.stdout, /member-failed/);
  await server.shutdown();
  Deno.removeSync(folder, { recursive: true });
});
