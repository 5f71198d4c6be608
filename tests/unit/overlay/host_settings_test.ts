/** What the overlay wants of the host's settings, and what of it is to be done. */
import assert from "node:assert/strict";
import { desiredSettings, diffSettings, settingText } from "../../../mod/overlay/host_settings.ts";

const IPV4 = { family: 4, device: "flannel.1", underlay: "eth0" } as const;
const IPV6 = { family: 6, device: "flannel-v6.1", underlay: "eth0" } as const;

function texts(...args: Parameters<typeof desiredSettings>): string[] {
  return desiredSettings(...args).map(settingText);
}

Deno.test("forwarding is wanted of each family, checksums only where hardware is distrusted", () => {
  assert.deepEqual(texts([IPV4], true), ["sysctl -w net.ipv4.ip_forward=1"]);
  assert.deepEqual(texts([IPV4, IPV6], false), [
    "sysctl -w net.ipv4.ip_forward=1",
    "ethtool -K flannel.1 tx off",
    '[ "$(sysctl -n net.ipv6.conf.eth0.accept_ra)" != 1 ] || sysctl -w net.ipv6.conf.eth0.accept_ra=2',
    "sysctl -w net.ipv6.conf.all.forwarding=1",
    "sysctl -w net/ipv6/conf/flannel-v6.1/disable_ipv6=0",
    "sysctl -w net/ipv6/conf/flannel-v6.1/accept_ra=0",
    "ethtool -K flannel-v6.1 tx off",
  ]);
});

Deno.test("a backend without a device has no device to care for", () => {
  assert.deepEqual(texts([{ ...IPV4, device: null }], false), ["sysctl -w net.ipv4.ip_forward=1"]);
});

Deno.test("what differs is done; what is not there, or was decided by somebody, is not", () => {
  const plan = (acceptRa: string | null, forwarding: string | null) =>
    diffSettings(
      desiredSettings([{ ...IPV6, device: null }], true),
      (setting) =>
        setting.kind === "sysctl" && setting.name.endsWith("accept_ra") ? acceptRa : forwarding,
    ).map(settingText);
  const [acceptRa, forwarding] = [
    '[ "$(sysctl -n net.ipv6.conf.eth0.accept_ra)" != 1 ] || sysctl -w net.ipv6.conf.eth0.accept_ra=2',
    "sysctl -w net.ipv6.conf.all.forwarding=1",
  ];
  assert.deepEqual(plan("1", "0"), [acceptRa, forwarding], "the advertisements first");
  assert.deepEqual(plan("0", "0"), [forwarding], "a host that takes none is left so");
  assert.deepEqual(plan("2", "1"), []);
  assert.deepEqual(plan(null, null), []);
});
