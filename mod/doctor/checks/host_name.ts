/** Whether the host's name tells it from others. */
import type { Check } from "../check.ts";
import { ok, warn } from "../finding.ts";

const NAME = "host-name";
/** What images come with. */
const COMMON =
  /^(localhost|debian|ubuntu|raspberrypi|host|server|node|vagrant|(ip-)?127-.*)(\.|$)/i;

export const hostName: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const { name } = host.setup;
    if (!COMMON.test(name)) return [ok(NAME, `This host is ${name}`)];
    return [warn(
      NAME,
      `This host is called ${name}, as many are: in lists nobody can tell them apart`,
      "Give it a name of its own with hostnamectl, or with --name",
    )];
  },
};
