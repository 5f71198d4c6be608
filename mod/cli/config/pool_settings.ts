/** The part of the table of settings that says which networks subnets are taken from, and how they are cut up. */
import { anyAddress, anyCidr, ipv6Cidr, wholeNumber } from "./checks.ts";
import { subnetLengthMax } from "../../address/pool_family.ts";
import { valueSetting } from "./setting.ts";

/** The longest of either family; what fits the network is checked with it. */
const SUBNET_LENGTH_MAX = subnetLengthMax(6);

export const POOL_SETTINGS = {
  network: valueSetting(
    {
      name: "network",
      group: "Overlay",
      placeholder: "CIDR",
      text:
        "The overlay network, the same on every host; an IPv6 one makes a cluster of IPv6 alone",
    },
    "10.244.0.0/16",
    anyCidr,
  ),
  subnetLen: valueSetting(
    {
      name: "subnet-len",
      group: "Overlay",
      placeholder: "BITS",
      text: "Prefix length of each host's subnet",
      defaultText: "24, or the network's plus 2 when it is smaller than a /22; of IPv6 64 and /62",
    },
    null,
    wholeNumber(1, SUBNET_LENGTH_MAX),
    "integer",
  ),
  subnetMin: valueSetting(
    {
      name: "subnet-min",
      group: "Overlay",
      placeholder: "ADDRESS",
      text: "First subnet that may be claimed",
      defaultText: "the network's second",
    },
    null,
    anyAddress,
  ),
  subnetMax: valueSetting(
    {
      name: "subnet-max",
      group: "Overlay",
      placeholder: "ADDRESS",
      text: "Last subnet that may be claimed",
      defaultText: "the network's last",
    },
    null,
    anyAddress,
  ),
  ipv6Network: valueSetting(
    {
      name: "ipv6-network",
      group: "Overlay",
      placeholder: "CIDR",
      text: "Dual stack: the network of the IPv6 subnets that go with the others, the same on " +
        "every host",
    },
    null,
    ipv6Cidr,
  ),
  ipv6SubnetLen: valueSetting(
    {
      name: "ipv6-subnet-len",
      group: "Overlay",
      placeholder: "BITS",
      text: "Prefix length of each host's IPv6 subnet",
      defaultText: "64, or the network's plus 2 when it is smaller than a /62",
    },
    null,
    wholeNumber(1, SUBNET_LENGTH_MAX),
    "integer",
  ),
  subnet: valueSetting(
    {
      name: "subnet",
      group: "Overlay",
      placeholder: "CIDR",
      text: "Claim this subnet and no other",
    },
    null,
    anyCidr,
  ),
} as const;
