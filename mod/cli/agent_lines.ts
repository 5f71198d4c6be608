/** An answer of the agent that does not end: its lines, as they come. */
import { reasonOf, UserError } from "../base/errors.ts";
import { connect, readAnswer, send, socketPath } from "./control_client.ts";

/** Characters of a line: an event has a few hundred. */
const LINE_CHARACTERS_MAX = 1_000_000;
const READ_BYTES = 64 * 1024;

/**
 * Lines until the agent ends the answer, or `end` is aborted. Throws UserError with the contract's exit code when there is
 * no agent, or it refuses.
 */
export async function* agentLines(
  runDir: string,
  path: string,
  end: AbortSignal,
): AsyncGenerator<string> {
  const at = socketPath(runDir);
  const connection = await connect(at);
  const close = () => connection.close();
  end.addEventListener("abort", close, { once: true });
  try {
    await send(connection, { method: "GET", path });
    yield* linesOf(pieces(connection));
  } catch (error) {
    if (end.aborted) return;
    if (error instanceof UserError) throw error;
    throw new UserError(`the agent on ${at} broke off: ${reasonOf(error)}`, {
      remedy: "look at its log, then try again",
      cause: error,
    });
  } finally {
    end.removeEventListener("abort", close);
    if (!end.aborted) connection.close();
  }
}

async function* pieces(connection: Deno.UnixConn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    yield decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

async function* linesOf(pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  let text = "";
  let isBody = false;
  for await (const piece of pieces) {
    text += piece;
    if (!isBody) {
      const bodyAt = text.indexOf("\r\n\r\n");
      if (bodyAt < 0) continue;
      if (!/^HTTP\/1\.[01] 2\d\d/.test(text)) break;
      text = text.slice(bodyAt + 4);
      isBody = true;
    }
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
    if (text.length > LINE_CHARACTERS_MAX) {
      throw new Error(`a line of its answer is longer than ${LINE_CHARACTERS_MAX} characters`);
    }
  }
  if (isBody) return;
  for await (const piece of pieces) text += piece;
  readAnswer(text);
}
