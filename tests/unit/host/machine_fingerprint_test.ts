/** What tells machines apart, and what does not. */
import assert from "node:assert/strict";
import { isOtherMachine, machineFingerprint } from "../../../mod/host/machine_fingerprint.ts";

const ID = "2b6e64ff3a0f4d1c9f8a7d1c5e0b9a34";
const OTHER_ID = "91c0d2f44b5e4f2aa1b3c4d5e6f70819";
const UUID = "4C4C4544-0042-3510-8052-B4C04F4D3132";
const OTHER_UUID = "11ce4a35-78b1-4e3c-9a0d-0c1d2e3f4a5b";

function fingerprint(machineId: string | null, productUuid: string | null): string | undefined {
  const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  try {
    const paths = { machineId: `${directory}/id`, productUuid: `${directory}/uuid` };
    if (machineId !== null) Deno.writeTextFileSync(paths.machineId, `${machineId}\n`);
    if (productUuid !== null) Deno.writeTextFileSync(paths.productUuid, `${productUuid}\n`);
    return machineFingerprint(paths);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("the same machine has the same fingerprint, which shows neither value", () => {
  const one = fingerprint(ID, UUID);
  assert.match(one ?? "", /^[0-9a-f]{32}$/);
  assert.equal(one, fingerprint(ID, UUID.toLowerCase()));
  assert(!one?.includes(ID.slice(0, 8)));
  assert.equal(isOtherMachine(one, one), false);
});

Deno.test("another machine id, or another main board, is another machine", () => {
  const one = fingerprint(ID, UUID);
  for (
    const other of [
      fingerprint(OTHER_ID, OTHER_UUID),
      fingerprint(ID, OTHER_UUID),
      fingerprint(OTHER_ID, UUID),
    ]
  ) {
    assert.equal(isOtherMachine(one, other), true);
    assert.equal(isOtherMachine(other, one), true);
  }
  assert.equal(isOtherMachine(fingerprint(ID, null), fingerprint(OTHER_ID, UUID)), true);
});

Deno.test("what is not known, empty or nobody's own never differs", () => {
  const one = fingerprint(ID, UUID);
  const unknown = [
    "",
    "uninitialized",
    "00000000000000000000000000000000",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "03000200-0400-0500-0006-000700080009",
    "To be filled by O.E.M.",
  ];
  for (const value of unknown) {
    assert.equal(fingerprint(value, value), undefined, value);
    assert.equal(isOtherMachine(one, fingerprint(value, UUID)), false, value);
    assert.equal(isOtherMachine(one, fingerprint(ID, value)), false, value);
    assert.equal(
      isOtherMachine(fingerprint(ID, value), fingerprint(value, OTHER_UUID)),
      false,
      value,
    );
  }
  assert.equal(fingerprint(null, null), undefined);
  assert.equal(isOtherMachine(one, undefined), false);
  assert.equal(isOtherMachine(undefined, one), false);
});
