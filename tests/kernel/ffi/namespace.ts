/**
 * A network namespace of its own for each case. It has no name and is held by descriptors only, so
 * it goes with the process, however that ends.
 */
import { strict as assert } from "node:assert";
import { hasCapability } from "../../../ffi/capability.ts";
import { openNetlinkSocket } from "../../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../../ffi/netlink/transport.ts";
import { closeNamespace, createNamespace, runIn } from "../../../ffi/netns.ts";
import { linkSet } from "../../../ffi/route/link.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";

/** Why the kernel tests cannot run here; null when they can. */
function whyIgnored(): string | null {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (!hasCapability("CAP_SYS_ADMIN")) return "needs CAP_SYS_ADMIN: run the tests as root";
  if (!hasCapability("CAP_NET_ADMIN")) return "needs CAP_NET_ADMIN: run the tests as root";
  try {
    closeNamespace(createNamespace());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return null;
}

// This also opens libc, which stays open for good and would look leaked by the test that opened it.
const reason = whyIgnored();

/** A namespace and a netlink socket in it. */
export class Host {
  readonly namespace: number = createNamespace();
  readonly transport: NetlinkTransport = runIn(this.namespace, () => openNetlinkSocket());

  constructor() {
    linkSet(this.transport, 1, { up: true });
  }

  /** Runs a function inside. */
  run<T>(inside: () => T): T {
    return runIn(this.namespace, inside);
  }

  /** What an iproute2 command prints inside; null when it is not installed here. */
  text(command: string): string | null {
    return this.#output(command.split(" "));
  }

  /** The same by a shell, for commands with quotes. */
  shell(command: string): string | null {
    const [program = ""] = command.split(" ");
    return this.text(`${program} -V`) === null ? null : this.#output(["sh", "-c", command]);
  }

  #output([program = "", ...args]: readonly string[]): string | null {
    const command = [program, ...args].join(" ");
    try {
      const { success, stdout, stderr } = this.run(() =>
        new Deno.Command(program, { args, clearEnv: true }).outputSync()
      );
      assert(success, `${command}: ${new TextDecoder().decode(stderr)}`);
      return new TextDecoder().decode(stdout);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.transport.close();
    closeNamespace(this.namespace);
  }
}

/** Joins two hosts by a pair of devices, eth0 here and eth0 there, both up; returns the indexes. */
export function cable(near: Host, far: Host): { near: number; far: number } {
  const peer = { name: "eth0", namespaceFd: far.namespace };
  const link = vethAdd(near.transport, { name: "eth0", up: true, peer });
  assert(link.link !== null);
  linkSet(far.transport, link.link, { up: true });
  return { near: link.index, far: link.link };
}

/**
 * A test on the real kernel, ignored with its reason in the name where that cannot be; `whyElse`
 * says what else it needs and does not find.
 */
export function kernelTest(
  name: string,
  run: () => void | Promise<void>,
  whyElse: () => string | null = () => null,
): void {
  const why = reason ?? whyElse();
  if (why === null) Deno.test(name, run);
  else Deno.test({ name: `${name} (ignored: ${why})`, ignore: true, fn: () => {} });
}
