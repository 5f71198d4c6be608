/** The fake kernel's interface addresses. */
import { ERRNO } from "../errno.ts";
import { NLM_F_REPLACE } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import {
  decodeAddress,
  IFA_F,
  IFA_FLAGS,
  IFA_LOCAL,
  type InterfaceAddress,
} from "../route/address.ts";
import { RTM } from "../route/family.ts";
import { Entry, type Notify, Refusal } from "./entry.ts";

const IFADDRMSG_BYTES = 8;

function view(entry: Entry): InterfaceAddress {
  const payload = entry.encode();
  const address = decodeAddress({ type: RTM.NEWADDR, flags: 0, sequence: 0, port: 0, payload });
  if (address === null) throw new Refusal(ERRNO.EAFNOSUPPORT);
  return address;
}

function keyOf(entry: Entry): string {
  return `${entry.view.getUint32(4, true)} ${entry.key(IFA_LOCAL)}/${entry.view.getUint8(1)}`;
}

/** Addresses by device, address and prefix length. */
export class AddressTable {
  readonly #addresses = new Map<string, Entry>();
  readonly #notify: Notify;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  all(): InterfaceAddress[] {
    return [...this.#addresses.values()].map(view);
  }

  /** The addresses of one device, first set first. */
  of(index: number): InterfaceAddress[] {
    return this.all().filter((address) => address.index === index);
  }

  /** RTM_NEWADDR. */
  add(request: NetlinkRequest): void {
    const entry = Entry.parse(request.payload, IFADDRMSG_BYTES);
    const key = keyOf(entry);
    if (this.#addresses.has(key) && (request.flags & NLM_F_REPLACE) === 0) {
      throw new Refusal(ERRNO.EEXIST, "ipv4: Address already assigned");
    }
    entry.setU32(IFA_FLAGS, (entry.u32(IFA_FLAGS) ?? 0) | IFA_F.PERMANENT);
    view(entry);
    this.#addresses.set(key, entry);
    this.#notify(RTM.NEWADDR, entry);
  }

  /** RTM_DELADDR. */
  delete(request: NetlinkRequest): void {
    const key = keyOf(Entry.parse(request.payload, IFADDRMSG_BYTES));
    const entry = this.#addresses.get(key);
    if (entry === undefined) throw new Refusal(ERRNO.EADDRNOTAVAIL, "ipv4: Address not found");
    this.#addresses.delete(key);
    this.#notify(RTM.DELADDR, entry);
  }

  /** What goes with a device. */
  deleteOf(index: number): void {
    for (const [key, entry] of this.#addresses) {
      if (view(entry).index !== index) continue;
      this.#addresses.delete(key);
      this.#notify(RTM.DELADDR, entry);
    }
  }

  /** RTM_GETADDR: all, or those of one family or device. */
  show(request: NetlinkRequest): Uint8Array[] {
    const filter = Entry.parse(request.payload, IFADDRMSG_BYTES).view;
    const family = filter.getUint8(0);
    const index = filter.getUint32(4, true);
    return [...this.#addresses.values()]
      .filter((entry) => family === 0 || entry.view.getUint8(0) === family)
      .filter((entry) => index === 0 || entry.view.getUint32(4, true) === index)
      .map((entry) => entry.encode());
  }
}
