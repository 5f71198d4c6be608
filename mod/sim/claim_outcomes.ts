/**
 * What a whole campaign of whole hosts must have shown: what never occurs in 2,000 seeds is not tested any more, however
 * many of them pass. Each occurs ten times and more at present; what is rarer, such as a release that a full disk refuses,
 * has a schedule of its own in tests/sim.
 */

const FAULTS = [
  ...["boot", "kill", "pause", "resume", "freeze", "thaw", "jump", "drift", "reinstall", "replace"],
  ...["wipe", "rollback", "clone", "move", "swap", "disk", "slow-disk", "flood", "garbage"],
  ...["join", "leave", "release", "forget", "pool"],
  ...["network", "link", "cut", "mend", "partition", "heal"],
].map((kind) => `fault ${kind}`);

const STAGES = ["listening", "tentative", "held", "yielding", "waiting", "released"]
  .map((stage) => `stage ${stage}`);

/** By the first words of the reason, see ClaimMeasures. */
const WAITING = [
  "All N subnets",
  "No other host",
  "Only hosts that",
  "The claim of",
  "The subnet N.N.N.N/N",
  "another host uses",
].map((reason) => `waiting: ${reason}`);

const CONTESTS = [
  "the higher epoch",
  "the greater strength",
  "the older stamp",
  "the lower hash of host id and subnet",
].map((why) => `contest decided by ${why}`);

const WARNINGS = [
  "host-duplicated",
  "identity-reused",
  "members-not-saved",
  "name-conflict",
  "udp-blocked",
].map((code) => `warning ${code}`);

export const EXPECTED_OUTCOMES: readonly string[] = [
  ...FAULTS,
  ...STAGES,
  ...WAITING,
  ...CONTESTS,
  ...WARNINGS,
  "S3 looked at",
  "S3 excused: a disk was copied",
  "S3 excused: a disk was set back",
  "S3 excused: the network was not whole",
  "S8 looked at",
  "contest seen",
  "identity lost",
  "raised or refuted",
  "renumbered",
  "yielded",
  "yielded to an equal",
];
