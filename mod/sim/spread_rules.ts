/**
 * What must hold for the spreading of news: what a host says anew of itself, and verdicts, reach nearly all who are well and
 * connected within seconds. Gossip is drawn at random and may miss a host, so late ones are counted and judged at the end.
 */
import type { MemberId } from "../swim/member.ts";
import { newsVersion } from "../swim/news.ts";
import { InvariantError } from "./invariant_error.ts";
import type { MemberHost, MembershipCluster } from "./membership_cluster.ts";
import type { ObservedStep } from "./observed_step.ts";
import { ALL_TROUBLES, type Shadow } from "./shadow.ts";

/** Up to ten hosts; gossip takes a few intervals of 200 ms more for each further factor of ten. */
const SPREAD_MS = 800;
/** An item that is sent eight times misses a host with e^-8, a third of a thousandth; a fiftieth is a broken protocol. */
const LATE_SHARE_MAX = 0.02;
/** And so many may be late in any run, however short. */
const LATE_MIN = 3;

export class SpreadRules {
  readonly #membership: MembershipCluster;
  readonly #shadow: Shadow;
  #heard = 0;
  #late = 0;
  #lastLate = "";

  constructor(membership: MembershipCluster, shadow: Shadow) {
    this.#membership = membership;
    this.#shadow = shadow;
  }

  check(step: ObservedStep): void {
    for (const { id, before, after } of step.changes) {
      if (before === undefined || after === undefined) continue;
      const isOwn = id === step.selfId;
      const isVerdict = after.status === "dead" && before.status === "suspect" &&
        !step.hasBadNewsOf(id);
      if (!isOwn && !isVerdict) continue;
      const subject = this.#membership.hostOf(id);
      if (subject !== undefined && subject.isRunning === isOwn) {
        this.#follow(step, subject, newsVersion(after.incarnation, after.status));
      }
    }
  }

  /** Judges the whole run. Throws InvariantError. */
  checkWhole(): void {
    const total = this.#heard + this.#late;
    if (this.#late <= Math.max(LATE_MIN, LATE_SHARE_MAX * total)) return;
    throw new InvariantError(
      "news-spread",
      this.#membership.cluster.nowMs,
      `of ${total} times that news had to reach a host, ${this.#late} were late; the last: ${this.#lastLate}`,
    );
  }

  #follow(step: ObservedStep, subject: MemberHost, version: number): void {
    const { cluster } = this.#membership;
    const fromMs = step.nowMs;
    const { boots } = subject;
    const { host: teller } = step;
    // Whom it does not know, or takes for dead, a host cannot tell: after a split they meet first.
    const present = step.snapshot.members.filter(({ status }) => status === "alive");
    const known = new Set(present.map((member) => member.id));
    const withinMs = SPREAD_MS * Math.max(1, Math.log10(cluster.hosts.length));
    cluster.after(withinMs, () => {
      if (subject.boots !== boots || this.#shadow.isOnNetwork(fromMs)) return;
      if (this.#shadow.isOn(teller.name, fromMs, ["frozen", "late", "network"])) return;
      const id = this.#membership.idOf(subject.name);
      for (const viewer of cluster.running) {
        if (viewer === subject || viewer === teller) continue;
        if (!known.has(this.#membership.idOf(viewer.name))) continue;
        if (this.#shadow.isOn(viewer.name, fromMs, ALL_TROUBLES)) continue;
        if (viewer.snapshot().self.status === "left") continue;
        if (knows(viewer, id, version)) this.#heard++;
        else {
          this.#late++;
          this.#lastLate = `${viewer.name} of ${subject.name} at ${cluster.nowMs.toFixed(0)} ms`;
        }
      }
    });
  }
}

/** Whether a host believes that of a member, or something newer; who never met it need not. */
function knows(viewer: MemberHost, id: MemberId, version: number): boolean {
  const member = viewer.snapshot().members.find((one) => one.id === id);
  return member === undefined || newsVersion(member.incarnation, member.status) >= version;
}
