/** The unit that `gossamer install` writes. */
import assert from "node:assert/strict";
import { isSealed, sealedUnit, serviceUnit } from "../../../mod/cli/install/service_unit.ts";
import { outOfReach } from "../../../mod/cli/install/reach.ts";

const UNIT = serviceUnit("/usr/local/bin/gossamer");

Deno.test("the unit file to copy is the one that install writes", () => {
  const file = Deno.readTextFileSync(new URL("../../../scripts/gossamer.service", import.meta.url));
  assert.equal(file, UNIT);
});

Deno.test("a unit of an older version is known as install's own, and one that was edited is not", () => {
  assert(isSealed(sealedUnit("[Service]\nExecStart=/an/older/one up\n")));
  const sealed = sealedUnit(UNIT);
  assert(isSealed(sealed));
  assert(!isSealed(UNIT));
  assert(!isSealed(sealed.replace("WatchdogSec=30", "WatchdogSec=300")));
  assert(!isSealed(`${sealed}Nice=-5\n`));
});

/** What ProtectHome= hides. */
const [ROOT_HOME, HOMES] = ["/root", "/home"];

Deno.test("what the service may write and read is what its unit opens to it", () => {
  assert.match(UNIT, /^ReadWritePaths=-\/run\/flannel -\/etc\/gossamer$/m);
  assert.match(UNIT, /^(StateDirectory=gossamer\n)[^]*^(RuntimeDirectory=gossamer\n)/m);
  assert.match(UNIT, /^ProtectHome=yes\nPrivateTmp=yes$/m);
  const verbs = [
    ["state-dir", "/var/lib/gossamer", undefined],
    ["state-dir", "/var/lib/gossamer/b", undefined],
    ["state-dir", "/var/lib/gossamer2", "write"],
    ["state-dir", "/var/lib/gossamer/../b", "write"],
    ["subnet-file", "/run/flannel/subnet.env", undefined],
    ["subnet-file", "/run/b/subnet.env", "write"],
    ["key-file", "/etc/gossamer/keys", undefined],
    ["key-file", `${ROOT_HOME}/keys`, "write"],
    ["http", "127.0.0.1:9000", undefined],
    ["http", "/run/gossamer/http.sock", undefined],
    ["http", "/tmp/http.sock", "write"],
    ["net-conf", "/etc/kube-flannel/net-conf.json", undefined],
    ["net-conf", `${HOMES}/me/net-conf.json`, "read"],
    ["name", `${ROOT_HOME}/name`, undefined],
  ] as const;
  for (const [name, value, verb] of verbs) {
    assert.equal(outOfReach([{ name, value }])?.verb, verb, `${name} ${value}`);
  }
});
