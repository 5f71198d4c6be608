/**
 * What `gossamer demo` shows, step by step. Every sentence that begins with "ok" was checked a moment
 * before it was printed; the first one that does not hold ends the demo.
 */
import type { Container } from "./container.ts";
import type { Host } from "./host.ts";
import { routeLines } from "./kernel_text.ts";
import type { Lab } from "./lab.ts";
import { duration, type Narrator } from "./narrator.ts";
import { ContinuousPing, ECHO_OVERHEAD_BYTES, ping, pingUntilAnswered, sleep } from "./ping.ts";

/** The device of VNI 1, which the demo's hosts use because they are given no other. */
const DEVICE = "flannel.1";

/** Between two pings while an agent is down: a gap of 5 ms would be seen. */
const PING_INTERVAL_MS = 5;

/** How long the agent stays dead at least; at 5 ms that is 300 pings without an agent. */
const DEAD_AT_LEAST_MS = 1500;

/** The others normally notice within 3 s (a probe each second); waiting longer would only bore. */
const NOTICE_WITHIN_MS = 6000;

/** Normally under 0.1 s; the rest is for machines that are busy with something else. */
const SETTLE_WITHIN_MS = 10_000;

/** With more hosts than this the pairs are summed up instead of listed: 4 hosts have 12. */
const PAIRS_SHOWN_HOSTS = 4;

/** A step of the demo did not hold. The text was printed already. */
export class DemoFailure extends Error {}

export class DemoStory {
  readonly #lab: Lab;
  readonly #narrator: Narrator;
  readonly #hosts: readonly Host[];

  constructor(lab: Lab, narrator: Narrator) {
    this.#lab = lab;
    this.#narrator = narrator;
    this.#hosts = lab.hosts;
  }

  async tell(): Promise<void> {
    await this.#join();
    await this.#whoOwnsWhat();
    await this.#talk();
    await this.#killAndRestart();
    await this.#leave();
  }

  get #seed(): Host {
    return this.#lab.host(1);
  }

  async #join(): Promise<void> {
    const say = this.#narrator;
    say.step(`${this.#hosts.length} hosts join`);
    for (const host of this.#hosts) {
      const seedFlags = host === this.#seed ? [] : [`--join=${this.#seed.address}`];
      const agent = host.start(...seedFlags);
      const { subnet } = await host.waitForSubnet();
      const took = duration(performance.now() - agent.startedAtMs);
      const how = host === this.#seed
        ? "starts the cluster"
        : `joins through ${this.#seed.address}`;
      say.confirm(`${host.name} (${host.address}) ${how} and owns ${subnet} after ${took}`);
    }
    const since = performance.now();
    const others = this.#hosts.length - 1;
    await this.#until(
      () => this.#hosts.every((host) => routeLines(host.namespace, DEVICE).length === others),
      "every host has a route to every other",
    );
    say.confirm(
      `every host has a route to every other, ${duration(performance.now() - since)} later`,
    );
  }

  async #whoOwnsWhat(): Promise<void> {
    const say = this.#narrator;
    const host = this.#lab.host(this.#hosts.length);
    say.step("Who owns what? Any host can tell");
    for (const command of ["members", "subnets"]) {
      const { code, stdout, stderr } = await host.gossamer(command);
      say.quote(host.name, `gossamer ${command}`, stdout + stderr);
      this.#check(code === 0, `gossamer ${command} ends with exit code ${code}`, "quietly");
    }
  }

  async #talk(): Promise<void> {
    const say = this.#narrator;
    say.step("Containers talk across hosts");
    const containers = await Promise.all(this.#hosts.map((host) => host.addContainer()));
    say.tell(
      "One on each: a namespace behind a bridge, with an address from its host's subnet.env",
    );
    const slowest = { ms: 0, path: "" };
    for (const from of this.#hosts) {
      for (const to of this.#hosts) {
        if (from === to) continue;
        const ms = await this.#pingAcross(from, containerOf(from), to, containerOf(to));
        if (ms > slowest.ms) Object.assign(slowest, { ms, path: `${from.name} -> ${to.name}` });
      }
    }
    if (this.#hosts.length > PAIRS_SHOWN_HOSTS) {
      const pairs = this.#hosts.length * (this.#hosts.length - 1);
      say.confirm(
        `all ${pairs} pairs ping each other with full packets, not fragmented; the slowest, ` +
          `${slowest.path}, takes ${duration(slowest.ms)}`,
      );
    }
    const [first, second] = containers;
    if (first === undefined || second === undefined) throw new Error("The demo needs two hosts");
    const tooBig = await ping(first.namespace, second.address, {
      payloadBytes: first.mtu - ECHO_OVERHEAD_BYTES + 1,
      dontFragment: true,
    });
    this.#check(
      tooBig.kind === "too-big",
      `one byte more than ${first.mtu} is refused at the sender, as it should be`,
    );
  }

  /** Pings with full packets that must not be fragmented; returns the round trip in milliseconds. */
  async #pingAcross(from: Host, source: Container, to: Host, target: Container): Promise<number> {
    const options = { payloadBytes: source.mtu - ECHO_OVERHEAD_BYTES, dontFragment: true };
    const first = await pingUntilAnswered(source.namespace, target.address, { withinMs: 5000 });
    const full = await ping(source.namespace, target.address, options);
    const path = `${from.name} ${source.address} -> ${to.name} ${target.address}`;
    if (first.kind !== "answered" || full.kind !== "answered") {
      const kind = first.kind === "answered" ? full.kind : first.kind;
      return this.#fail(`${path}: the ping was ${kind}`);
    }
    if (this.#hosts.length <= PAIRS_SHOWN_HOSTS) {
      this.#narrator.confirm(
        `${path}  ${duration(full.ms)} with ${source.mtu}-byte packets, not fragmented`,
      );
    }
    return full.ms;
  }

  async #killAndRestart(): Promise<void> {
    const say = this.#narrator;
    const victim = this.#lab.host(2);
    say.step(`kill -9 the agent of ${victim.name}: the traffic goes on`);
    const from = containerOf(this.#seed);
    const to = containerOf(victim);
    const subnetBefore = victim.subnetText();
    const traffic = new ContinuousPing(from.namespace, to.address, PING_INTERVAL_MS);
    say.tell(`${from.address} pings ${to.address} every ${PING_INTERVAL_MS} ms, all the time`);
    await sleep(10 * PING_INTERVAL_MS);
    await victim.kill();
    const killed = performance.now();
    const status = await this.#noticed(victim);
    await sleep(Math.max(0, DEAD_AT_LEAST_MS - (performance.now() - killed)));
    const whileDead = traffic.count;
    if (status !== null) {
      say.tell(
        `${this.#seed.name} calls ${victim.name} ${status.status} after ${
          duration(status.afterMs)
        }` +
          " and keeps its route: a dead agent is not a dead host",
      );
    }
    // The newest pings may still be under way; what is lost for good shows in the last count.
    this.#check(whileDead.longestGapMs < 1000, `${whileDead.received} pings answered meanwhile`);

    say.step(`Start it again: same subnet, still no packet lost`);
    const agent = victim.start(`--join=${this.#seed.address}`);
    await this.#until(
      async () => (await victim.status())?.ready === true,
      `${victim.name} is ready`,
    );
    const took = duration(performance.now() - agent.startedAtMs);
    this.#check(
      victim.subnetText() === subnetBefore,
      `${victim.name} is back after ${took}; its subnet.env has not changed by a byte`,
    );
    const { sent, lost } = await traffic.stop();
    this.#check(lost === 0, `${sent} pings through kill and restart, ${lost} lost`);
  }

  /** Waits a while until the first host's gossip has noticed; null if it takes too long to wait for. */
  async #noticed(victim: Host): Promise<{ status: string; afterMs: number } | null> {
    const killed = performance.now();
    while (performance.now() - killed < NOTICE_WITHIN_MS) {
      const view = await this.#seed.status();
      const member = view?.members.find(({ name }) => name === victim.name);
      if (member !== undefined && member.status !== "alive") {
        return { status: member.status, afterMs: performance.now() - killed };
      }
      await sleep(100);
    }
    return null;
  }

  async #leave(): Promise<void> {
    const say = this.#narrator;
    const leaver = this.#lab.host(this.#hosts.length);
    const observer = this.#seed;
    say.step(`${leaver.name} leaves for good and gives its subnet back`);
    const { subnet } = await leaver.waitForSubnet();
    const show = (when: string) => {
      const lines = routeLines(observer.namespace, DEVICE);
      say.show(`${observer.name}'s routes through ${DEVICE} ${when}:`, lines.join("\n") || "none");
    };
    show("before");
    const began = performance.now();
    const { code, stdout, stderr } = await leaver.gossamer("leave", "--release");
    say.quote(leaver.name, "gossamer leave --release", stdout + stderr);
    this.#check(code === 0, `gossamer leave ends with exit code ${code}`, "quietly");
    const rest = this.#hosts.filter((host) => host !== leaver);
    await this.#until(
      () => rest.every((host) => !routeLines(host.namespace, DEVICE).join().includes(subnet)),
      `the others drop their routes to ${subnet}`,
    );
    const took = duration(performance.now() - began);
    show("after");
    say.confirm(`the route to ${subnet} is gone everywhere, ${took} after the command`);
    await this.#until(() => leaver.deviceAddresses(DEVICE).length === 0, `${DEVICE} is removed`);
    await this.#until(() => !leaver.running, `the agent of ${leaver.name} ends`);
    say.confirm(`${leaver.name} has no ${DEVICE} any more, and its agent has ended`);
  }

  #check(holds: boolean, text: string, quietly?: "quietly"): void {
    if (!holds) this.#fail(text);
    if (quietly === undefined) this.#narrator.confirm(text);
  }

  #fail(text: string): never {
    this.#narrator.refute(text);
    throw new DemoFailure(text);
  }

  async #until(holds: () => boolean | Promise<boolean>, text: string): Promise<void> {
    const deadline = performance.now() + SETTLE_WITHIN_MS;
    while (!await holds()) {
      if (performance.now() > deadline) {
        this.#fail(`${text}: not within ${duration(SETTLE_WITHIN_MS)}`);
      }
      await sleep(2);
    }
  }
}

function containerOf(host: Host): Container {
  const container = host.containers[0];
  if (container === undefined) throw new Error(`${host.name} has no container`);
  return container;
}
