/**
 * Whether the way to other hosts carries packets as long as the overlay makes them. Probed with echo requests that may not be
 * fragmented: devices only say what their own link carries.
 */
import { overheadOf } from "../../overlay/backend.ts";
import { overlayMtuOn } from "../../overlay/underlay_mtu.ts";
import { familyOf } from "../../address/cidr.ts";
import type { Check } from "../check.ts";
import type { DoctorHost, OtherHost } from "../doctor_host.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";
import { underlayOf } from "../underlay_of.ts";

const NAME = "underlay-mtu";
/** What any host must take (RFC 791). */
const SMALL_BYTES = 68;
/** Longer than any round trip on which SWIM works. */
const SILENCE_MS = 1_000;
/** Long packets take hardly longer than small ones, and a lost one is no closed way. */
const LONG_ROUND_TRIPS = 10;
const LONG_MS_MIN = 100;
const TRIES = 2;

export const underlayMtu: Check = {
  name: NAME,
  isRepeated: false,
  async run(host) {
    const underlay = underlayOf(host);
    if (underlay === null) return [];
    const others = await host.others();
    if (others.length === 0) {
      return [
        ok(NAME, `Nobody to try the way to; ${underlay.device} itself carries ${underlay.mtu}`),
      ];
    }
    const { backend, mtu } = host.setup;
    const overhead = overheadOf(backend, familyOf(underlay.address));
    const bytes = overlayMtuOn(underlay, mtu, backend) + overhead;
    const silent: string[] = [];
    for (const other of others) {
      const found = await probe(host, other, bytes, overhead);
      if (found === "silent") silent.push(other.name);
      else if (found !== null) return [found];
    }
    if (silent.length < others.length) {
      const reached = others.filter(({ name }) => !silent.includes(name)).map(({ name }) => name);
      return [ok(NAME, `Packets of ${bytes} bytes pass to ${reached.join(", ")}`)];
    }
    return [warn(
      NAME,
      `No answer to a ping from ${silent.join(", ")}, so nobody knows what the way there carries`,
      "If they are up, let ICMP echo pass between the hosts and ask again",
    )];
  },
};

async function probe(
  host: DoctorHost,
  { name, address }: OtherHost,
  bytes: number,
  overhead: number,
): Promise<Finding | "silent" | null> {
  const small = await host.echo(address, SMALL_BYTES, SILENCE_MS);
  if (small.kind !== "answered") return "silent";
  const passes = async (length: number): Promise<boolean> => {
    const timeoutMs = Math.max(LONG_MS_MIN, LONG_ROUND_TRIPS * small.ms);
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if ((await host.echo(address, length, timeoutMs)).kind === "answered") return true;
    }
    return false;
  };
  if (await passes(bytes)) return null;
  const carried = await longest(passes, SMALL_BYTES, bytes);
  return fail(
    NAME,
    `The way to ${name} (${address}) carries packets of ${carried} bytes, and the overlay sends ${bytes}`,
    `Mend the way, or give --mtu ${carried - overhead} on all hosts`,
  );
}

/** Between one length that passes and one that does not. */
async function longest(
  passes: (bytes: number) => Promise<boolean>,
  shortest: number,
  tooLong: number,
): Promise<number> {
  let carried = shortest;
  let lost = tooLong;
  while (lost - carried > 1) {
    const bytes = (carried + lost) >>> 1;
    if (await passes(bytes)) carried = bytes;
    else lost = bytes;
  }
  return carried;
}
