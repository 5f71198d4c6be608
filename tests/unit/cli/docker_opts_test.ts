/** `gossamer docker-opts` beside flannel's mk-docker-opts.sh, whose own cases come first. */
import { deepEqual, equal, match } from "node:assert/strict";
import { runCommandLine } from "../../../mod/cli/command_line.ts";
import { splitLetters } from "../../../mod/cli/letters.ts";
import { dockerOptsCommand } from "../../../mod/cli/commands/docker_opts.ts";
import { FakeOutside, type FakeOutsideOptions } from "../../support/fake_outside.ts";

/** dist/sample_subnet.env of flannel. */
const SAMPLE = `FLANNEL_NETWORK=10.1.0.0/16
FLANNEL_SUBNET=10.1.74.1/24
FLANNEL_MTU=1472
FLANNEL_IPMASQ=false
`;

async function dockerOpts(
  args: readonly string[],
  text: string | null = SAMPLE,
  options: FakeOutsideOptions = {},
) {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/subnet.env`;
    const output = `${folder}/out/docker_opts.env`;
    if (text !== null) await Deno.writeTextFile(file, text);
    const outside = new FakeOutside(options);
    const words = args.map((word) => word === "OUTPUT" ? output : word);
    const code = await runCommandLine(["docker-opts", "-f", file, ...words], outside);
    const written = await Deno.readTextFile(output).catch(() => null);
    return { code, stdout: outside.stdout, stderr: outside.stderr, written };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** flannel's own cases, dist/mk_docker_opts_test.go: flags and what the script writes. */
const FLANNEL_CASES: readonly (readonly [flags: readonly string[], lines: readonly string[]])[] = [
  [[], [
    'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
    'DOCKER_OPT_IPMASQ="--ip-masq=true"',
    'DOCKER_OPT_MTU="--mtu=1472"',
    'DOCKER_OPTS=" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"',
  ]],
  [["-i"], [
    'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
    'DOCKER_OPT_IPMASQ="--ip-masq=true"',
    'DOCKER_OPT_MTU="--mtu=1472"',
  ]],
  [["-c"], ['DOCKER_OPTS=" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"']],
  [["-k", "CUSTOM_KEY"], [
    'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
    'DOCKER_OPT_IPMASQ="--ip-masq=true"',
    'DOCKER_OPT_MTU="--mtu=1472"',
    'CUSTOM_KEY=" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"',
  ]],
  [["-m"], [
    'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
    'DOCKER_OPT_MTU="--mtu=1472"',
    'DOCKER_OPTS=" --bip=10.1.74.1/24 --mtu=1472"',
  ]],
];

for (const [flags, lines] of FLANNEL_CASES) {
  Deno.test(
    `as mk-docker-opts.sh ${flags.join(" ")}, printed and written`.replace(" ,", ","),
    async () => {
      const text = lines.map((line) => `${line}\n`).join("");
      const printed = await dockerOpts(flags);
      deepEqual([printed.code, printed.stdout, printed.stderr], [0, text, ""]);
      const written = await dockerOpts([...flags, "-d", "OUTPUT"]);
      deepEqual([written.code, written.stdout, written.written], [0, "", text]);
    },
  );
}

Deno.test("who masquerades is told the other way round: only one of the two does", async () => {
  const masquerading = SAMPLE.replace("IPMASQ=false", "IPMASQ=true");
  equal(
    (await dockerOpts(["-c", "-k", "K"], masquerading)).stdout.includes("--ip-masq=false"),
    true,
  );
});

Deno.test("with dual stack the default bridge has the IPv6 subnet as well", async () => {
  const text =
    `${SAMPLE}FLANNEL_IPV6_NETWORK=fd00:244::/56\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n`;
  equal(
    (await dockerOpts(["-i", "-m"], text)).stdout,
    `DOCKER_OPT_BIP="--bip=10.1.74.1/24"
DOCKER_OPT_FIXED_CIDR_V6="--fixed-cidr-v6=fd00:244:0:7::/64"
DOCKER_OPT_IPV6="--ipv6"
DOCKER_OPT_MTU="--mtu=1472"
`,
  );
});

Deno.test("options that the environment has already are kept, and ours win", async () => {
  const variables = {
    DOCKER_OPTS: "--debug",
    DOCKER_OPT_ICC: "--icc=false",
    DOCKER_OPT_MTU: "--mtu=9000",
  };
  equal(
    (await dockerOpts(["-c"], SAMPLE, { variables })).stdout,
    'DOCKER_OPTS="--debug  --bip=10.1.74.1/24 --icc=false --ip-masq=true --mtu=1472"\n',
  );
  const quoted = await dockerOpts([], SAMPLE, { variables: { DOCKER_OPT_X: 'a"; reboot; "' } });
  deepEqual([quoted.code, quoted.stdout], [1, ""]);
  match(quoted.stderr, /DOCKER_OPT_X of the environment has quotes or the like/);
});

Deno.test("without a subnet nothing is written, and the error says what to do", async () => {
  const missing = await dockerOpts(["-d", "OUTPUT"], null);
  deepEqual([missing.code, missing.written], [1, null]);
  match(
    missing.stderr,
    /there is no .*subnet\.env: this host has no subnet yet - gossamer up writes/,
  );
  for (
    const [text, says] of [
      ["FLANNEL_MTU=1450\n", /has no FLANNEL_SUBNET - /],
      [SAMPLE.replace("10.1.74.1/24", "10.1.74.1"), /FLANNEL_SUBNET is "10\.1\.74\.1", which is/],
      [SAMPLE.replace("10.1.74.1/24", "$(reboot)/24"), /FLANNEL_SUBNET is .* not understood/],
      [SAMPLE.replace("1472", "14 72"), /FLANNEL_MTU is "14 72"/],
      [SAMPLE.replace("=false", "=perhaps"), /FLANNEL_IPMASQ is "perhaps"/],
      [`${SAMPLE}FLANNEL_IPV6_SUBNET=fd00::1\n`, /FLANNEL_IPV6_SUBNET is "fd00::1"/],
    ] as const
  ) {
    const { code, stdout, stderr } = await dockerOpts([], text);
    deepEqual([code, stdout], [1, ""], text);
    match(stderr, says);
  }
});

Deno.test("a key that is no variable is refused", async () => {
  const { code, stderr } = await dockerOpts(["-k", "DOCKER OPTS"]);
  equal(code, 2);
  match(stderr, /--key: "DOCKER OPTS" is not the name of a variable - use letters/);
});

Deno.test("the drop-in needs no subnet yet, and names the file that it will be in", async () => {
  const { code, stdout } = await dockerOpts(["--drop-in"], null);
  equal(code, 0);
  match(stdout, /^ExecStartPre=.* docker-opts -c -f .*subnet\.env -d \/run\/docker_opts\.env$/m);
  match(stdout, /^Environment=DOCKER_INSECURE_NO_IPTABLES_RAW=1$/m);
  const newer = await dockerOpts(["--drop-in", "--docker-version=28.2.2", "-d", "OUTPUT"]);
  deepEqual([newer.code, newer.stdout], [0, ""]);
  match(newer.written ?? "", /\$DOCKER_OPTS --allow-direct-routing$/m);
  const wrong = await dockerOpts(["--drop-in", "--docker-version=new"]);
  deepEqual([wrong.code, wrong.stdout], [2, ""]);
  match(wrong.stderr, /--docker-version: "new" is no version - dockerd --version prints it/);
});

Deno.test("letters are taken as getopts takes them", () => {
  const { flags } = dockerOptsCommand;
  const split = (line: string) => splitLetters(flags, line.split(" ")).join(" ");
  equal(split("-ic -kKEY -d FILE"), "-i -c -k KEY -d FILE");
  equal(split("-icf -x --key=a"), "-i -c -f -x --key=a");
  equal(split("-c -f"), "-c -f");
  equal(split("-zc -"), "-zc -");
  equal(splitLetters([], ["-iface"]).join(" "), "-iface");
});
