/**
 * One network namespace of the lab, held by a file descriptor and by nothing else.
 *
 * It has no name under /run/netns: when the lab's process ends, however it ends, the kernel takes the
 * namespace and every device in it away.
 */
import { closeNamespace, createNamespace, runIn } from "../../ffi/netns.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import { linkGet, linkSet } from "../../ffi/route/link.ts";
import { writeSysctl } from "../../ffi/sysctl.ts";
import { assert } from "../base/assert.ts";

const READY_POLL_MS = 2;

/** What a finished command left behind. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Namespace {
  readonly name: string;
  readonly fd: number;
  /** A netlink socket that was opened inside, so it acts there from anywhere. */
  readonly netlink: NetlinkTransport;
  #closed = false;

  /** Makes the namespace and brings its loopback up. Throws SysError EPERM without CAP_SYS_ADMIN. */
  constructor(name: string) {
    this.name = name;
    this.fd = createNamespace();
    this.netlink = runIn(this.fd, () => openNetlinkSocket());
    linkSet(this.netlink, this.deviceIndex("lo"), { up: true });
  }

  /** Runs a function inside; it must be synchronous, because a namespace belongs to the thread. */
  run<T>(work: () => T): T {
    return runIn(this.fd, work);
  }

  /** Starts a process inside. */
  spawn(command: readonly string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    const [program, ...args] = command;
    assert(program !== undefined, "a command has at least a program");
    return this.run(() => new Deno.Command(program, { ...options, args }).spawn());
  }

  /** Runs a command inside to its end. */
  async output(
    command: readonly string[],
    options: Deno.CommandOptions = {},
  ): Promise<CommandResult> {
    const child = this.spawn(command, {
      stdin: "null",
      ...options,
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Index of a device inside, for netlink calls. */
  deviceIndex(device: string): number {
    const link = linkGet(this.netlink, device);
    if (link === null) throw new Error(`There is no device ${device} in ${this.name}`);
    return link.index;
  }

  /**
   * Waits until devices carry packets. The kernel notices a new carrier on a timer of its own
   * (net/core/link_watch.c), up to a second later; what is sent before may be dropped.
   */
  async ready(...devices: readonly string[]): Promise<void> {
    const isUp = (device: string) => linkGet(this.netlink, device)?.operationalState === "up";
    while (!devices.every(isUp)) {
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  writeSysctl(name: string, value: string): void {
    this.run(() => writeSysctl(name, value));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.netlink.close();
    closeNamespace(this.fd);
  }
}
