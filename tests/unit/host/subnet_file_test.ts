/** How the subnet file is replaced. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { readSubnetFile, writeSubnetFile } from "../../../mod/host/subnet_file.ts";

function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "gossamer-subnet-file-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("the file is written with folder and readable by all, whatever the umask", () =>
  withFolder((folder) => {
    const before = Deno.umask(0o077);
    try {
      const path = `${folder}/run/flannel/subnet.env`;
      strictEqual(writeSubnetFile(path, "A=1\n"), true);
      strictEqual(Deno.readTextFileSync(path), "A=1\n");
      strictEqual(modeOf(path), 0o644);
      strictEqual(modeOf(`${folder}/run/flannel`), 0o755);
    } finally {
      Deno.umask(before);
    }
  }));

Deno.test("equal bytes are left alone", () =>
  withFolder((folder) => {
    const path = `${folder}/subnet.env`;
    writeSubnetFile(path, "A=1\n");
    const inode = Deno.statSync(path).ino;
    strictEqual(writeSubnetFile(path, "A=1\n"), false);
    strictEqual(Deno.statSync(path).ino, inode);
  }));

Deno.test("a change replaces the file as a whole and leaves nothing beside it", () =>
  withFolder((folder) => {
    const path = `${folder}/subnet.env`;
    writeSubnetFile(path, "A=1\n");
    const inode = Deno.statSync(path).ino;
    strictEqual(writeSubnetFile(path, "A=2\n"), true);
    strictEqual(readSubnetFile(path), "A=2\n");
    strictEqual(Deno.statSync(path).ino === inode, false);
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["subnet.env"]);
  }));

Deno.test("a place that cannot be written throws and leaves nothing behind", () =>
  withFolder((folder) => {
    const path = `${folder}/subnet.env`;
    Deno.mkdirSync(path);
    throws(() => writeSubnetFile(path, "A=1\n"));
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["subnet.env"]);
  }));

Deno.test("a file that is not there reads as null", () =>
  withFolder((folder) => strictEqual(readSubnetFile(`${folder}/nothing`), null)));
