/** What the world does to hosts. */
import type { Go } from "./actions.ts";
import { ALIVE, DEAD, memberCode, startsOf, statusOf, UNKNOWN } from "./member_code.ts";
import { type Configuration, type Deviation, isAffordable, spend, type State } from "./state.ts";
import { isCut, type Traffic } from "./traffic.ts";

export class Environment {
  readonly #traffic: Traffic;
  readonly #configuration: Configuration;

  constructor(traffic: Traffic, configuration: Configuration) {
    this.#traffic = traffic;
    this.#configuration = configuration;
  }

  offer(state: State, go: Go): void {
    const all = [...state.locals.keys()];
    const may = (deviation: Deviation) => isAffordable(this.#configuration, state, deviation);
    const up = all.filter((host) => this.#traffic.local(state, host).view.isUp);
    if (may("crash")) {
      for (const host of up) {
        go("crash", host, (next) => this.#crash(next, host, true, "crash"));
        go("crash-restart", host, (next) => {
          this.#crash(next, host, false, "crash");
          next.queue.push(this.#traffic.item("start", host, host, 0, 0));
        });
        const writes = state.queue.map((id) => this.#traffic.hosts.item(id))
          .filter(({ kind, to }) => kind === "disk" && to === host);
        const last = writes.at(-1);
        if (last === undefined) continue;
        go("crash-written", host, (next) => {
          this.#crash(next, host, false, "crash");
          this.#traffic.step(next, host, { kind: "swap", payload: last.payload });
          next.queue.push(this.#traffic.item("start", host, host, 0, 0));
        });
      }
    }
    if (may("rollback")) {
      for (const host of up) {
        const { view, disk } = this.#traffic.local(state, host);
        const image = state.images[host] ?? -1;
        if (view.stage === "held" && state.images.every((other) => other < 0)) {
          go("image", host, (next) => next.images[host] = disk);
        }
        if (image < 0 || image === disk) continue;
        go("rollback", host, (next) => {
          this.#crash(next, host, false, "rollback");
          this.#traffic.step(next, host, { kind: "swap", payload: image });
          next.queue.push(this.#traffic.item("start", host, host, 0, 0));
        });
      }
    }
    if (may("partition") && state.side === 0) {
      for (const side of this.#configuration.sides ?? sidesOf(all.length)) {
        go("partition", side, (next) => this.#partition(next, side));
      }
    }
    if (may("release")) {
      for (const host of up) {
        if (this.#traffic.local(state, host).view.stage !== "held") continue;
        go("release", host, (next) => {
          spend(next, "release");
          this.#traffic.step(next, host, { kind: "release" });
        });
      }
    }
    if (may("forget")) {
      for (const host of up) {
        for (const about of all) {
          const known = this.#traffic.local(state, host).view.records[about] ?? null;
          if (about === host || known === null || known.record.state === "released") continue;
          go("forget", host * all.length + about, (next) => {
            spend(next, "forget");
            this.#traffic.step(next, host, { kind: "forget", about });
          });
        }
      }
    }
    if (may("pause") && state.paused === 0) {
      for (const host of up) {
        go("pause", host, (next) => {
          spend(next, "pause");
          next.paused = host + 1;
        });
      }
    }
  }

  /** A process ends without a word. `isNoticed` tells the others, who would else first hear of its next start. */
  #crash(state: State, host: number, isNoticed: boolean, deviation: Deviation): void {
    spend(state, deviation);
    if (this.#isSecret(state, host)) state.lost = 1;
    const code = memberCode(startsOf(this.#traffic.codeOf(state, host)), DEAD);
    this.#traffic.step(state, host, { kind: "crash" });
    this.#traffic.end(state, host);
    if (isNoticed) this.#traffic.tellOfMember(state, host, code);
  }

  /** Whether nobody else that is up knows of the hold that the host's disk remembers. */
  #isSecret(state: State, host: number): boolean {
    const record = this.#traffic.hosts.memory(this.#traffic.local(state, host).disk)?.record ??
      null;
    if (record === null || record.state !== "held") return false;
    return !state.locals.some((id, other) => {
      const known = this.#traffic.hosts.local(id).view.records[host]?.record;
      return other !== host && known !== undefined && known.state === "held" &&
        known.subnet === record.subnet;
    });
  }

  #partition(state: State, side: number): void {
    spend(state, "partition");
    state.side = side;
    const isCutOff = (id: number) => {
      const { from, to } = this.#traffic.hosts.item(id);
      return isCut(side, from, to);
    };
    state.queue = state.queue.filter((id) => !isCutOff(id));
    state.late = state.late.filter((id) => !isCutOff(id));
    for (const host of state.locals.keys()) {
      const code = memberCode(startsOf(this.#traffic.codeOf(state, host)), DEAD);
      for (const other of state.locals.keys()) {
        const known = this.#traffic.local(state, other).members[host] ?? UNKNOWN;
        if (!isCut(side, host, other) || statusOf(known) !== ALIVE) continue;
        this.#traffic.push(state, this.#traffic.item("member", other, other, code, host));
      }
    }
  }
}

function sidesOf(hosts: number): number[] {
  return Array.from({ length: 2 ** (hosts - 1) - 1 }, (_, index) => index + 1);
}
