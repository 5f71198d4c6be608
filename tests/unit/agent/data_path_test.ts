/** The data path: what the claim's state means for the kernel and for subnet.env. */
import assert from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { Log } from "../../../mod/base/log.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import type { ClaimSnapshot, LifeState } from "../../../mod/claim/snapshot.ts";
import { DataPath } from "../../../mod/agent/data_path.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import { claim, CONFIG, DEVICE } from "../../support/overlay.ts";

const POOL = makePool({ network: "10.244.0.0/16" });

class Bench {
  readonly directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  readonly subnetFile = `${this.directory}/subnet.env`;
  readonly kernel = new ModelKernel(DEVICE);
  readonly lines: string[] = [];
  #awaited = "";
  #heard = () => {};
  state: LifeState = "held";
  own = claim(1);
  isUnderlayThere = true;
  other = claim(2);
  readonly path: DataPath;

  constructor(onRenumber: string | null = null, followsMtu = false) {
    this.path = new DataPath({
      overlay: CONFIG,
      subnetFile: this.subnetFile,
      onRenumber,
      followsMtu,
      kernel: this.kernel,
      log: new Log({
        level: "info",
        format: "text",
        write: (line) => {
          this.lines.push(line);
          if (line.includes(this.#awaited)) this.#heard();
        },
        now: () => "",
      }),
      snapshot: () => this.#snapshot(),
      isUnderlayThere: () => this.isUnderlayThere,
    });
  }

  #snapshot(): HostSnapshot {
    const owners = [this.own, this.other];
    const claims: Partial<ClaimSnapshot> = {
      state: this.state,
      record: this.own,
      owners,
      records: owners,
      complete: true,
      pool: POOL,
    };
    const members: Partial<HostSnapshot["swim"]> = { joined: true, members: [] };
    return { swim: members, claim: claims } as HostSnapshot;
  }

  /** Settles when the log says so; fails after ten seconds without a word of it. */
  async said(text: string): Promise<void> {
    this.#awaited = text;
    const heard = Promise.withResolvers<void>();
    this.#heard = heard.resolve;
    const timer = setTimeout(() => heard.reject(new Error(`the log never said ${text}`)), 10_000);
    await heard.promise.finally(() => clearTimeout(timer));
  }

  subnetOfFile(): string | undefined {
    try {
      return /FLANNEL_SUBNET=(.*)/.exec(Deno.readTextFileSync(this.subnetFile))?.[1];
    } catch {
      return undefined;
    }
  }

  address(): string | undefined {
    return this.kernel.state.addresses[0]?.address;
  }

  [Symbol.dispose](): void {
    this.path.stop();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("a held claim brings the device up and writes subnet.env", () => {
  using bench = new Bench();
  bench.path.followNow();
  assert.equal(bench.address(), "10.244.1.0/32");
  assert.equal(bench.subnetOfFile(), "10.244.1.1/24");
});

Deno.test("on an underlay that carries less, device and subnet.env say so at once", () => {
  using bench = new Bench();
  bench.path.followNow();
  bench.path.move({ ...CONFIG, mtu: 1350, underlay: { ...CONFIG.underlay, mtu: 1400 } });
  assert.match(Deno.readTextFileSync(bench.subnetFile), /^FLANNEL_MTU=1350$/m);
  assert.equal(bench.path.status().mtu, 1350);
});

Deno.test("with --mtu min, device and subnet.env follow the smallest host, down and up again", () => {
  using bench = new Bench(null, true);
  const seen = () => [
    bench.path.status().mtu,
    /FLANNEL_MTU=(.*)/.exec(Deno.readTextFileSync(bench.subnetFile))?.[1],
    bench.path.status().problems.map(({ code }) => code).join(),
  ];
  bench.path.follow();
  assert.deepEqual(seen(), [1450, "1450", ""]);
  bench.other = { ...bench.other, vtep: { ...bench.other.vtep, mtu: 1350 } };
  bench.path.follow();
  assert.deepEqual(seen(), [1350, "1350", ""]);
  bench.path.move({ ...CONFIG, mtu: 1300 });
  assert.deepEqual(seen(), [1300, "1300", ""]);
  bench.path.move(CONFIG);
  assert.deepEqual(seen(), [1350, "1350", ""]);
  bench.other = claim(2);
  bench.path.follow();
  assert.deepEqual(seen(), [1450, "1450", ""]);
});

Deno.test("without it, a smaller host is a problem that names the remedy", () => {
  using bench = new Bench();
  bench.other = { ...bench.other, vtep: { ...bench.other.vtep, mtu: 1350 } };
  bench.path.follow();
  const { mtu, problems } = bench.path.status();
  assert.equal(mtu, 1450);
  assert.deepEqual(problems.map(({ code, severity }) => `${code} ${severity}`), [
    "mtu-differs warning",
  ]);
});

Deno.test("while the underlay is gone, nothing is torn down, until the host gives its subnet back", () => {
  using bench = new Bench();
  bench.path.followNow();
  bench.isUnderlayThere = false;
  bench.kernel.state = EMPTY_STATE; // as the kernel does
  bench.path.followNow();
  assert.equal(bench.kernel.state.link, null);
  assert.equal(bench.subnetOfFile(), "10.244.1.1/24");
  bench.state = "released";
  bench.path.followNow();
  assert.equal(bench.subnetOfFile(), undefined);
});

Deno.test("a subnet file that cannot be written is said once and shown until it can be", () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.subnetFile);
  bench.path.followNow();
  bench.path.followNow();
  const { inSync, subnetFileWritten, problems } = bench.path.status();
  assert.deepEqual([inSync, subnetFileWritten], [true, false]);
  assert.deepEqual(problems.map(({ code }) => code), ["subnet-file"]);
  assert.equal(bench.lines.filter((line) => line.includes("subnet file")).length, 1);
  Deno.removeSync(bench.subnetFile);
  bench.path.followNow();
  assert.deepEqual(bench.path.status().problems, []);
  assert.equal(bench.subnetOfFile(), "10.244.1.1/24");
});

Deno.test("a claim that the disk remembers as held but the flags no longer want changes nothing", () => {
  using bench = new Bench();
  bench.state = "listening";
  bench.path.followNow();
  assert.equal(bench.kernel.state.link, null);
  assert.equal(bench.subnetOfFile(), undefined);
});

Deno.test("a host that must move keeps its device until the next subnet is held, then switches", () => {
  using bench = new Bench();
  bench.path.followNow();
  for (const state of ["yielding", "listening", "tentative"] as const) {
    bench.state = state;
    bench.path.followNow();
    assert.equal(bench.address(), "10.244.1.0/32", state);
    assert.equal(bench.subnetOfFile(), "10.244.1.1/24", state);
  }
  bench.state = "held";
  bench.own = claim(1, { subnet: "10.244.9.0/24" });
  bench.path.followNow();
  assert.equal(bench.address(), "10.244.9.0/32");
  assert.equal(bench.subnetOfFile(), "10.244.9.1/24");
});

Deno.test("a host that finds no subnet, or gave its own back, has neither device nor subnet.env", () => {
  for (const state of ["waiting", "released"] as const) {
    using bench = new Bench();
    bench.path.followNow();
    bench.state = state;
    bench.path.followNow();
    assert.equal(bench.kernel.state.link, null, state);
    assert.equal(bench.subnetOfFile(), undefined, state);
  }
});

Deno.test("a subnet.env that another program wrote after us is not removed again and again", () => {
  using bench = new Bench();
  bench.path.followNow();
  bench.state = "waiting";
  bench.path.followNow();
  Deno.writeTextFileSync(bench.subnetFile, "FLANNEL_SUBNET=10.9.0.1/24\n");
  bench.path.followNow();
  assert.equal(bench.subnetOfFile(), "10.9.0.1/24");
});

Deno.test("the renumber command runs with the old and the new subnet, once the new one is in place", async () => {
  const answer = Deno.makeTempFileSync({ prefix: "gossamer-test-" });
  {
    using bench = new Bench(`echo moved "$@" > ${answer}; cat`);
    bench.path.renumbered("10.244.1.0/24", "10.244.9.0/24");
    bench.path.followNow();
    assert.equal(Deno.readTextFileSync(answer), "");
    const ended = bench.said("the renumber command");
    bench.own = claim(1, { subnet: "10.244.9.0/24" });
    bench.path.followNow();
    await ended;
  }
  assert.equal(Deno.readTextFileSync(answer), "moved 10.244.1.0/24 10.244.9.0/24\n");
  Deno.removeSync(answer);
});
