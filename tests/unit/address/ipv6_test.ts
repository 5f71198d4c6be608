/** IPv6 text and arithmetic: strict in, canonical out. */
import { equal, ok, throws } from "node:assert/strict";
import {
  formatIpv6,
  formatIpv6Network,
  ipv6Contains,
  ipv6Overlaps,
  isIpv6Network,
  isIpv6Unicast,
  parseIpv6,
  parseIpv6Network,
} from "../../../mod/address/ipv6.ts";
import {
  cidrContains,
  cidrsOverlap,
  deviceAddressOf,
  firstAddressOf,
} from "../../../mod/address/network.ts";
import { AddressError } from "../../../mod/address/parse.ts";

Deno.test("addresses are written as RFC 5952 has it", () => {
  const cases = [
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["fd00:0244:0000:0007::", "fd00:244:0:7::"],
    ["10:0:0:10:0:0:0:10", "10:0:0:10::10"],
  ];
  for (const [text = "", canonical = ""] of cases) equal(formatIpv6(parseIpv6(text)), canonical);
});

Deno.test("what is no address is refused in words", () => {
  const wrong = [
    "",
    "1:2:3",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "fe80::1%eth0",
    "::ffff:10.0.0.1",
    "10.0.0.1",
    " ::1",
    "g::",
    "0x1::",
    "-1::",
  ];
  for (const text of wrong) throws(() => parseIpv6(text), AddressError, text);
});

Deno.test("networks have no host bits, and the error names the one that was meant", () => {
  equal(formatIpv6Network(parseIpv6Network("FD00:244::/56")), "fd00:244::/56");
  equal(parseIpv6Network("::/0").length, 0);
  equal(formatIpv6Network(parseIpv6Network("::1/128")), "::1/128");
  throws(() => parseIpv6Network("fd00:244::1/56"), /did you mean fd00:244::\/56/);
  throws(() => parseIpv6Network("fd00:244::/129"), /not 0 to 128/);
  throws(() => parseIpv6Network("fd00:244::/06"), /not 0 to 128/);
  throws(() => parseIpv6Network("fd00:244::"), /no prefix length/);
  ok(isIpv6Network("fd00:244::/56"));
  ok(!isIpv6Network("fd00:0244::/56"), "only as we write it");
  ok(!isIpv6Network("10.244.0.0/16"));
});

Deno.test("a network contains its addresses and overlaps what it contains", () => {
  const network = parseIpv6Network("fd00:244:0:7::/64");
  ok(ipv6Contains(network, parseIpv6("fd00:244:0:7:ffff:ffff:ffff:ffff")));
  ok(!ipv6Contains(network, parseIpv6("fd00:244:0:8::")));
  ok(ipv6Overlaps(network, parseIpv6Network("fd00:244::/56")));
  ok(ipv6Overlaps(parseIpv6Network("::/0"), network));
  ok(!ipv6Overlaps(network, parseIpv6Network("fd00:244:0:6::/64")));
});

Deno.test("what takes text takes both families, and they never overlap", () => {
  equal(deviceAddressOf("fd00:244:0:7::/64"), "fd00:244:0:7::");
  equal(firstAddressOf("fd00:244:0:7::/64"), "fd00:244:0:7::1");
  ok(cidrsOverlap("fd00:244::/56", "fd00:244:0:7::/64"));
  ok(!cidrsOverlap("::/0", "0.0.0.0/0"));
  ok(!cidrsOverlap("0.0.0.0/0", "::/0"));
  ok(cidrContains("fd00:244::/56", "fd00:244:0:7::1"));
  ok(!cidrContains("::/0", "10.0.0.1"));
  ok(!cidrContains("0.0.0.0/0", "::1"));
});

Deno.test("packets are sent to unicast addresses that are known beyond the link", () => {
  for (const address of ["2001:db8::1", "fd00::1"]) ok(isIpv6Unicast(address), address);
  for (const address of ["::", "::1", "::ffff:a00:1", "fe80::1", "ff02::1", "10.0.0.1", "x"]) {
    ok(!isIpv6Unicast(address), address);
  }
});
