/** Hosts with gossip keys: their key files, what `gossamer keys` says, and that nobody was lost. */
import assert from "node:assert/strict";
import type { CommandResult } from "../../mod/lab/namespace.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { untilStatus } from "./cluster.ts";

/** The part of `status --json` that speaks of encryption. */
export interface EncryptionView {
  encryption: { fingerprints: string[]; plainToo: boolean } | null;
}

/** The part of `keys list --json` that tests rely on. */
export interface KeysView {
  hosts: number;
  keys: {
    fingerprint: string;
    hosts: number;
    primaryHosts: number;
    here: boolean;
    primaryHere: boolean;
  }[];
  unanswered: { name: string; address: string; reason: string }[];
}

export interface Key {
  readonly text: string;
  readonly fingerprint: string;
}

export function keyFileOf(host: Host): string {
  return `${host.directory}/gossip.key`;
}

/** Writes the host's key file as an operator would, and returns the flag that names it. */
export function giveKey(host: Host, key: Key): string {
  Deno.writeTextFileSync(keyFileOf(host), `# of ${host.name}\n\n${key.text}\n`, { mode: 0o600 });
  return `--key-file=${keyFileOf(host)}`;
}

/** The lines of a host's key file that are keys. */
export function keysInFile(host: Host): string[] {
  return Deno.readTextFileSync(keyFileOf(host)).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A key as `gossamer keys generate` makes it. */
export async function generateKey(host: Host): Promise<Key> {
  const { code, stdout, stderr } = await host.gossamer("keys", "generate", "--json");
  assert.equal(code, 0, stderr);
  const { key, fingerprint } = JSON.parse(stdout);
  return { text: key, fingerprint };
}

/** `gossamer keys install` of a key in a file of its own, which is removed again. */
export async function installKey(host: Host, { text }: Key): Promise<CommandResult> {
  const path = `${host.directory}/new.key`;
  Deno.writeTextFileSync(path, `${text}\n`, { mode: 0o600 });
  const result = await host.gossamer("keys", "install", path);
  Deno.removeSync(path);
  return result;
}

/** Runs `gossamer keys ...`, which must succeed. */
export async function keys(host: Host, ...args: readonly string[]): Promise<string> {
  return succeeded(await host.gossamer("keys", ...args));
}

/** What a command said that must have succeeded. */
export function succeeded({ code, stdout, stderr }: CommandResult): string {
  assert.equal(code, 0, stderr + stdout);
  return stdout + stderr;
}

/** `gossamer keys list`, complete or not. */
export async function listKeys(host: Host): Promise<KeysView> {
  return JSON.parse((await host.gossamer("keys", "list", "--json")).stdout);
}

export function encryptionOf(status: StatusView): EncryptionView["encryption"] {
  return (status as StatusView & EncryptionView).encryption;
}

/** Waits until the host sees that many alive, no others, and is ready. */
export async function untilWhole(host: Host, count: number): Promise<StatusView> {
  return await untilStatus(
    host,
    `${host.name} sees ${count} hosts`,
    ({ ready, cluster }) => ready && cluster.alive === count && cluster.suspect === 0,
  );
}

/** No host ever took another for failed. */
export function assertNobodyFailed(hosts: readonly Host[]): void {
  for (const host of hosts) assert.doesNotMatch(host.log(), /member failed/, host.log());
}
