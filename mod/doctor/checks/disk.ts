/** Whether what must be written can be written. */
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

const NAME = "disk";
/** The documents of 10,000 members are some MB, and are written beside themselves before they take their places. */
const FREE_BYTES_MIN = 20_000_000;

export const disk: Check = {
  name: NAME,
  isRepeated: true,
  run(host) {
    const { stateDir, runDir, subnetFile } = host.setup;
    const folders = [
      { folder: stateDir, flag: "--state-dir" },
      { folder: runDir, flag: "--run-dir" },
      { folder: subnetFile.slice(0, subnetFile.lastIndexOf("/")) || "/", flag: "--subnet-file" },
    ];
    const found = folders.map((place) => fault(host, place)).filter((one) => one !== null);
    return found.length > 0 ? found : [ok(NAME, `${stateDir} and ${runDir} can be written`)];
  },
};

function fault(
  host: DoctorHost,
  { folder, flag }: { folder: string; flag: string },
): Finding | null {
  const reason = host.whyNotWritable(folder);
  if (reason !== null) {
    return fail(
      NAME,
      `${folder} cannot be written: ${reason}`,
      `Make it writable, or give ${flag}`,
    );
  }
  const free = host.freeBytes(folder);
  // The others are small files in memory, as a rule.
  const isState = folder === host.setup.stateDir;
  if (!isState || free === null || free >= FREE_BYTES_MIN) return null;
  return warn(
    NAME,
    `${Math.floor(free / 1_000_000)} MB are free for ${folder}`,
    "Make room: without it this host cannot keep its subnet over a restart",
  );
}
