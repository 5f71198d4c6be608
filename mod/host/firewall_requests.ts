/** Changes of our table as messages to the kernel. */
import type { NetlinkRequest } from "../../ffi/netlink/transport.ts";
import { ruleAddRequest } from "../../ffi/nftables/rule.ts";
import {
  elementsAddRequests,
  elementsDeleteRequests,
  setAddRequest,
  type SetKey,
} from "../../ffi/nftables/set.ts";
import { chainAddRequest, tableAddRequest, tableDeleteRequest } from "../../ffi/nftables/table.ts";
import type {
  AddressFamily,
  FirewallOperation,
  FirewallSet,
  FirewallTable,
} from "../base/firewall_objects.ts";
import { TABLE_COMMENT } from "../base/limits.ts";
import { encodeRule } from "./firewall_encode.ts";
import { endsOf } from "./firewall_ranges.ts";

/** nft's type of a set's elements. */
export const KEY_TYPE = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;

/** In the order in which the kernel takes them. */
export function requestsOf(operation: FirewallOperation): NetlinkRequest[] {
  switch (operation.kind) {
    case "table-replace":
      return [
        // Deleting what is not there is an error, making what is there is none.
        tableAddRequest(operation.table, TABLE_COMMENT),
        tableDeleteRequest(operation.table),
        ...tableRequests(operation.table),
      ];
    case "table-delete":
      return [tableDeleteRequest(operation)];
    case "elements-add":
    case "elements-delete": {
      const { family, table, set, elements } = operation;
      const key = { table: { family, name: table }, name: set };
      const plain = elements.map((address) => ({ address, isEnd: false }));
      return operation.kind === "elements-add"
        ? elementsAddRequests(key, plain)
        : elementsDeleteRequests(key, plain);
    }
  }
}

function tableRequests(table: FirewallTable): NetlinkRequest[] {
  const { family, sets, chains } = table;
  return [
    tableAddRequest(table, TABLE_COMMENT),
    ...sets.flatMap((set, index) => setRequests({ table, name: set.name }, set, family, index + 1)),
    ...chains.flatMap(({ name, type, hook, priority, rules }) => [
      chainAddRequest({ table, name, base: { type, hook, priority, policy: "accept" } }),
      ...rules.map((rule) =>
        ruleAddRequest({
          table,
          chain: name,
          expressions: encodeRule(rule, family),
          comment: rule.comment,
        })
      ),
    ]),
  ];
}

function setRequests(
  key: SetKey,
  { hasNetworks, elements }: FirewallSet,
  family: AddressFamily,
  id: number,
): NetlinkRequest[] {
  const ends = hasNetworks
    ? elements.flatMap(endsOf)
    : elements.map((address) => ({ address, isEnd: false }));
  return [
    setAddRequest(key, KEY_TYPE[family], hasNetworks, id),
    ...elementsAddRequests(key, ends),
  ];
}
