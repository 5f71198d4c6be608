/** Bodies of requests on the control socket. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { BODY_BYTES_MAX, readBody } from "../../../mod/agent/request_body.ts";

const CHUNK_BYTES = 1024;

/** A request whose body goes on for as long as somebody reads it; `sent` counts its bytes. */
function endless(): { request: Request; sent: () => number } {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += CHUNK_BYTES;
      controller.enqueue(new Uint8Array(CHUNK_BYTES).fill(0x20));
    },
  });
  return { request: new Request("http://host/", { method: "POST", body }), sent: () => sent };
}

Deno.test("a body that does not end is read no further than its limit", async () => {
  const { request, sent } = endless();
  await assert.rejects(readBody(request), UserError);
  assert.ok(sent() <= BODY_BYTES_MAX + 3 * CHUNK_BYTES, `${sent()} bytes were read`);
});

Deno.test("a body may be absent, and may come in pieces of a character", async () => {
  assert.deepEqual(await readBody(new Request("http://host/", { method: "POST" })), {});
  const bytes = new TextEncoder().encode('{"name":"Müller"}');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  const request = new Request("http://host/", { method: "POST", body });
  assert.deepEqual(await readBody(request), { name: "Müller" });
});
