/** The key file: replaced as a whole, private, comments kept, and unharmed when it cannot be replaced. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import {
  keyFileProblem,
  readKeyFile,
  unreadKeys,
  withComments,
  writeKeyFile,
} from "../../../mod/host/key_file.ts";
import { fingerprintOf } from "../../../mod/wire/keyring.ts";

const HEADING =
  "# Kept by gossamer: change it with gossamer keys; one key a line, the first one encrypts";

function inTemporaryDirectory(test: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  try {
    test(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("a replaced key file has the keys, belongs to its owner alone and lies there alone", () => {
  inTemporaryDirectory((directory) => {
    const path = `${directory}/gossip.key`;
    Deno.writeTextFileSync(path, "old\n");
    Deno.chmodSync(path, 0o644);
    Deno.writeTextFileSync(`${path}.new`, "left behind by a killed agent", { mode: 0o644 });
    writeKeyFile(path, "new\nold\n");
    assert.equal(readKeyFile(path), `${HEADING}\n\nnew\nold\n`);
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(namesIn(directory), ["gossip.key"]);
  });
});

Deno.test("behind a symbolic link, the file that it leads to is replaced", () => {
  inTemporaryDirectory((directory) => {
    Deno.mkdirSync(`${directory}/secrets`);
    Deno.writeTextFileSync(`${directory}/secrets/key`, "old\n");
    Deno.symlinkSync("secrets/key", `${directory}/gossip.key`);
    writeKeyFile(`${directory}/gossip.key`, "new\n");
    assert.equal(Deno.lstatSync(`${directory}/gossip.key`).isSymlink, true);
    assert.match(readKeyFile(`${directory}/secrets/key`), /\nnew\n$/);
  });
});

Deno.test("nothing is written through a link that somebody put beside the key file", () => {
  inTemporaryDirectory((directory) => {
    const path = `${directory}/gossip.key`;
    Deno.writeTextFileSync(path, "old\n");
    Deno.writeTextFileSync(`${directory}/other`, "theirs");
    Deno.symlinkSync("other", `${path}.new`);
    writeKeyFile(path, "new\n");
    assert.equal(Deno.readTextFileSync(`${directory}/other`), "theirs");
    assert.equal(Deno.lstatSync(path).isSymlink, false);
  });
});

Deno.test("a key file that cannot be replaced is named, stays as it was and leaves nothing beside it", () => {
  inTemporaryDirectory((directory) => {
    const path = `${directory}/gossip.key`;
    Deno.writeTextFileSync(path, "old\n");
    Deno.mkdirSync(`${path}.new/full`, { recursive: true }); // also root cannot make a file of this
    assert.throws(
      () => writeKeyFile(path, "new\n"),
      (error: Error) => error.message.startsWith(`the key file ${path} cannot be replaced: `),
    );
    assert.equal(readKeyFile(path), "old\n");
    const gone = `${directory}/gone.key`;
    assert.throws(() => writeKeyFile(gone, "new\n"), /gone\.key cannot be replaced: No such file/);
    assert.deepEqual(namesIn(directory), ["gossip.key", "gossip.key.new"]);
  });
});

Deno.test("keys that somebody wrote into the file since it was read are found", () => {
  inTemporaryDirectory((directory) => {
    const path = `${directory}/gossip.key`;
    const [one, two] = [1, 2].map((byte) => new Uint8Array(32).fill(byte));
    assert(one !== undefined && two !== undefined);
    Deno.writeTextFileSync(path, `# by hand\n${one.toBase64()}\n${two.toBase64()}\n`);
    assert.deepEqual(unreadKeys(path, [fingerprintOf(one)]), [fingerprintOf(two)]);
    assert.deepEqual(unreadKeys(path, [fingerprintOf(one), fingerprintOf(two)]), []);
    Deno.writeTextFileSync(path, "no key\n");
    assert.deepEqual(unreadKeys(path, []), []);
    assert.deepEqual(unreadKeys(`${directory}/gone`, []), []);
  });
});

Deno.test("comments stay with their key or with the file, and go with a key that goes", () => {
  const old = [
    "# Keys of the cluster in Hamburg",
    "",
    "# made in May",
    "may",
    "# made in June",
    "  june",
    "# ask Ada about these",
    "",
  ].join("\n");
  const text = withComments("july\njune\n", old);
  assert.deepEqual(text.split("\n"), [
    HEADING,
    "# Keys of the cluster in Hamburg",
    "# ask Ada about these",
    "",
    "july",
    "# made in June",
    "june",
    "",
  ]);
  assert.equal(withComments("july\njune\n", text), text, "the second time nothing is added");
});

Deno.test("a key file that others may read is a problem with its remedy", () => {
  inTemporaryDirectory((directory) => {
    const path = `${directory}/gossip.key`;
    assert.equal(keyFileProblem(path), null, "what is not there is said elsewhere");
    Deno.writeTextFileSync(path, "key\n");
    for (const mode of [0o600, 0o400]) {
      Deno.chmodSync(path, mode);
      assert.equal(keyFileProblem(path), null, mode.toString(8));
    }
    for (const mode of [0o644, 0o640, 0o604, 0o602]) {
      Deno.chmodSync(path, mode);
      const problem = keyFileProblem(path);
      assert.equal(problem?.code, "key-file-open");
      assert(problem.text.includes(`${path} has mode 0${mode.toString(8)}`), problem.text);
      assert(problem.remedy.includes(`chmod 0600 ${path}`), problem.remedy);
    }
  });
});

Deno.test("a key file that cannot be read is an error of configuration that names it", () => {
  assert.throws(() => readKeyFile("/nonexistent/gossip.key"), (error) => {
    assert(error instanceof UserError);
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /^--key-file \/nonexistent\/gossip\.key cannot be read: /);
    return true;
  });
});
