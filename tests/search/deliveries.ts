/** The order in which arrives what is on its way, and what does not arrive. */
import type { Go } from "./actions.ts";
import type { Item } from "./input.ts";
import { type Configuration, isAffordable, spend, type State } from "./state.ts";
import type { Traffic } from "./traffic.ts";

export class Deliveries {
  readonly #traffic: Traffic;
  readonly #configuration: Configuration;

  constructor(traffic: Traffic, configuration: Configuration) {
    this.#traffic = traffic;
    this.#configuration = configuration;
  }

  /** What is not delayed and not for a host that stands still. */
  due(state: State): Item[] {
    const { hosts } = this.#traffic;
    const blocked = new Set(state.late.map((id) => laneOf(hosts.item(id))));
    return state.queue.map((id) => hosts.item(id))
      .filter((item) => item.to !== state.paused - 1 && !isBlocked(item, blocked));
  }

  offer(state: State, go: Go): void {
    let isFirst = true;
    const held = new Set(state.late.map((id) => laneOf(this.#traffic.hosts.item(id))));
    const may = {
      overtake: isAffordable(this.#configuration, state, "overtake"),
      lose: isAffordable(this.#configuration, state, "lose"),
      double: isAffordable(this.#configuration, state, "double"),
      delay: isAffordable(this.#configuration, state, "delay"),
      refuse: isAffordable(this.#configuration, state, "refuse"),
    };
    for (const [at, id] of state.queue.entries()) {
      const item = this.#traffic.hosts.item(id);
      if (item.to === state.paused - 1) continue;
      const lane = laneOf(item);
      const isBehind = isBlocked(item, held);
      held.add(lane);
      const without = (next: State) => next.queue.splice(at, 1);
      if (!isBehind && (isFirst || may.overtake)) {
        const isOvertaking = !isFirst;
        go("deliver", at, (next) => {
          if (isOvertaking) spend(next, "overtake");
          without(next);
          this.#traffic.deliver(next, item);
        });
      }
      isFirst &&= isBehind;
      const isPacket = item.kind === "letter" || item.kind === "gossip";
      const isStream = item.kind === "ask" || item.kind === "answer";
      if (may.lose && (isPacket || isStream)) {
        go("lose", at, (next) => {
          spend(next, "lose");
          without(next);
        });
      }
      if (may.double && isPacket) {
        go("double", at, (next) => {
          spend(next, "double");
          without(next);
          next.late.push(id);
          this.#traffic.deliver(next, item);
        });
      }
      if (may.delay && !isBehind && (isPacket || item.kind === "disk" || item.kind === "start")) {
        go("delay", at, (next) => {
          spend(next, "delay");
          without(next);
          next.late.push(id);
        });
      }
      if (may.refuse && item.kind === "disk" && !isBehind) {
        go("refuse", at, (next) => {
          spend(next, "refuse");
          without(next);
          this.#traffic.step(next, item.to, { kind: "refused", id: item.about });
        });
      }
    }
    for (const [at, id] of state.late.entries()) {
      const item = this.#traffic.hosts.item(id);
      if (item.to === state.paused - 1) continue;
      go("deliver-late", at, (next) => {
        next.late.splice(at, 1);
        this.#traffic.deliver(next, item);
      });
    }
  }
}

/** Things that cannot overtake each other: writes to one disk, and news of one member. */
function laneOf({ kind, to, about }: Item): string | null {
  if (kind === "disk") return `disk ${to}`;
  return kind === "member" ? `member ${to} ${about}` : null;
}

function isBlocked(item: Item, lanes: ReadonlySet<string | null>): boolean {
  const lane = laneOf(item);
  return lane !== null && lanes.has(lane);
}
