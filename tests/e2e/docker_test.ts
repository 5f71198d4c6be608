/** Real Docker daemons on two hosts, told by docker-opts: containers reach each other by address, and no address doubles. */
import assert from "node:assert/strict";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { startCluster, statusOf, untilStatus } from "./cluster.ts";
import { busyboxArchive, DockerDaemon, whyNoDocker } from "./docker_daemon.ts";
import { scenario } from "./scenario.ts";

/** Containers that each host starts at the same moment. */
const AT_ONCE = 20;

/** Every second or so the agent looks at the rules of others; a busy machine takes longer. */
const NOTICED_MS_MAX = 40_000;

const WEB = ["httpd", "-f", "-p", "0.0.0.0:80", "-h", "/www"];

scenario(import.meta, "Docker containers of two hosts reach each other by address", {
  hosts: 2,
  leftOut: whyNoDocker(),
}, async ({ lab: { hosts }, folder, step, note }) => {
  const [one, other] = hosts;
  assert.ok(one !== undefined && other !== undefined);
  await startCluster(hosts, "--ip-masq");
  let daemons: DockerDaemon[] = [];
  let web: string[] = [];

  await step("dockerd takes the options that docker-opts prints", async () => {
    daemons = await Promise.all(hosts.map(startDocker));
    const archive = await busyboxArchive(folder);
    await Promise.all(daemons.map((daemon) => daemon.importImage(archive)));
  });
  await step("containers reach each other, and see each other's addresses", async () => {
    web = await Promise.all(daemons.map((daemon) => daemon.run("web", ...WEB)));
    for (const [index, address] of web.entries()) {
      assert.equal(prefix(address), prefix((await hosts[index]?.waitForSubnet())?.gateway ?? ""));
    }
    await meet(daemons, web);
  });
  await step("they do while both agents are down, and after a stop and start", async () => {
    for (const host of hosts) await host.kill();
    await meet(daemons, web);
    for (const host of hosts) host.start("--ip-masq", `--join=${one.address},${other.address}`);
    await Promise.all(daemons.map((daemon) => daemon.ok("restart", "-t", "0", "web")));
    web = await Promise.all(daemons.map((daemon) => daemon.address("web")));
    await meet(daemons, web);
  });
  await step(`${AT_ONCE} on each host at once have an address each, and all answer`, async () => {
    const began = performance.now();
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => `c${index}`);
    const addresses = await Promise.all(
      daemons.map((daemon) =>
        Promise.all(numbers.map((name) => daemon.run(name, "sleep", "1000")))
      ),
    );
    note(`${2 * AT_ONCE} containers: ${Math.round(performance.now() - began)} ms`);
    const all = [...web, ...addresses.flat()];
    assert.equal(new Set(all).size, all.length, `an address is there twice: ${all.join(" ")}`);
    await Promise.all(daemons.map((daemon, index) => reachAll(daemon, addresses[1 - index] ?? [])));
  });
  await step("what is removed leaves no device and no address behind", async () => {
    for (const daemon of daemons) {
      const names = (await daemon.ok("ps", "-aq")).split("\n");
      await daemon.ok("rm", "-f", ...names);
      assert.deepEqual(await devices(daemon.host), ["docker0", "eth0", "flannel.1", "lo"]);
    }
  });
  await step("Docker itself is started anew, and its containers have their network", async () => {
    web = await Promise.all(daemons.map((daemon) => daemon.run("again", ...WEB)));
    for (const daemon of daemons) {
      await daemon.stop();
      await daemon.start();
      await daemon.ok("start", "again");
    }
    await meet(
      daemons,
      await Promise.all(daemons.map((daemon) => daemon.address("again"))),
      "again",
    );
  });
  await step("a FORWARD policy of DROP is named, and its remedy helps", () => drop(daemons));
  await step("what Docker drops since version 28 is named", () => dropSince28(daemons));
  await step(
    "a network of one's own takes the place of the default one",
    () => ownNetwork(daemons),
  );
  await step("the agents had nothing to repair", async () => {
    for (const host of hosts) {
      const { overlay, problems } = await statusOf(host);
      assert.deepEqual([overlay.repairs, problems], [0, []]);
    }
  });
  await Promise.all(daemons.map((daemon) => daemon.stop()));
});

async function startDocker(host: Host): Promise<DockerDaemon> {
  const { code, stdout, stderr } = await host.gossamer("docker-opts", "-c", "-f", host.subnetFile);
  assert.equal(code, 0, stderr);
  const options = /^DOCKER_OPTS="(.*)"\n$/.exec(stdout)?.[1]?.trim().split(" ") ?? [];
  assert.equal(options.length, 3, stdout);
  const daemon = new DockerDaemon(host, options);
  await daemon.start();
  return daemon;
}

/** Each of the two asks the other's web server who it is that asks. */
async function meet(
  daemons: readonly DockerDaemon[],
  addresses: readonly string[],
  name = "web",
): Promise<void> {
  await Promise.all(daemons.map(async (daemon, index) => {
    // busybox's wget, linked statically, breaks where there is no /etc/services.
    const ask = `printf "GET /cgi-bin/who HTTP/1.0\\r\\n\\r\\n" | nc -w 5 ${
      addresses[1 - index]
    } 80`;
    const answer = await daemon.ok("exec", name, "sh", "-c", ask);
    assert.equal(answer.split("\n").at(-1), addresses[index], answer);
  }));
}

/** From one container on the host. */
async function reachAll(daemon: DockerDaemon, addresses: readonly string[]): Promise<void> {
  const script = `for a in ${
    addresses.join(" ")
  }; do ping -c 1 -W 2 -s 1422 $a >/dev/null || echo $a; done`;
  assert.equal(await daemon.ok("exec", "web", "sh", "-c", script), "", "these do not answer");
}

async function devices(host: Host): Promise<string[]> {
  const { stdout } = await host.namespace.output(["ip", "-o", "link"]);
  return [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name ?? "").sort();
}

/** What Docker does where it turned forwarding on itself. */
async function drop(daemons: readonly DockerDaemon[]): Promise<void> {
  const [daemon, other] = daemons;
  assert.ok(daemon !== undefined && other !== undefined);
  const { host } = daemon;
  await host.namespace.output(["iptables", "-P", "FORWARD", "DROP"]);
  const target = await daemon.address("again");
  const { code } = await other.docker("exec", "again", "ping", "-c", "1", "-W", "1", target);
  assert.notEqual(code, 0, "the policy drops what comes from another host");
  const hasDrop = ({ problems }: StatusView) =>
    problems.some(({ code }) => code === "forward-drop");
  const { problems } = await untilStatus(host, "the drop is named", hasDrop, NOTICED_MS_MAX);
  const remedy = problems.find((problem) => problem.code === "forward-drop")?.remedy ?? "";
  const commands = [...remedy.matchAll(/"(iptables [^"]+)"/g)].map(([, text]) => text ?? "");
  assert.equal(commands.length, 2, remedy);
  for (const command of commands) await host.namespace.output(command.split(" "));
  await other.ok("exec", "again", "ping", "-c", "1", "-W", "2", target);
  await untilStatus(host, "no problem is left", (view) => !hasDrop(view), NOTICED_MS_MAX);
}

/** The rules of Docker 28, which this one may be too old for: in the table raw, and behind those for published ports. */
async function dropSince28(daemons: readonly DockerDaemon[]): Promise<void> {
  const [daemon, other] = daemons;
  assert.ok(daemon !== undefined && other !== undefined);
  const { host } = daemon;
  const address = await daemon.address("again");
  const iptables = async (...args: string[]) => {
    const { code, stderr } = await host.namespace.output(["iptables", ...args]);
    assert.equal(code, 0, stderr);
  };
  // What the step before let through.
  await iptables("-F", "DOCKER-USER");
  await iptables("-P", "FORWARD", "ACCEPT");
  const places = [
    { rule: ["DOCKER", "!", "-i", "docker0", "-o", "docker0", "-j", "DROP"], table: "filter" },
    { rule: ["PREROUTING", "-d", address, "!", "-i", "docker0", "-j", "DROP"], table: "raw" },
  ];
  for (const { rule, table } of places) {
    await iptables("-t", table, "-A", ...rule);
    const { code } = await other.docker("exec", "again", "ping", "-c", "1", "-W", "1", address);
    assert.notEqual(code, 0, `${table} drops what comes from another host`);
    const { problems } = await untilStatus(
      host,
      `the drop in ${table} is named`,
      (status) => status.problems.some(({ text }) => text.includes(`in the table ip ${table}`)),
      NOTICED_MS_MAX,
    );
    assert.deepEqual(problems.map(({ code }) => code), ["forward-drop"]);
    const remedy = problems[0]?.remedy ?? "";
    assert.match(remedy, table === "raw" ? /--allow-direct-routing/ : /-I DOCKER-USER/);
    await iptables("-t", table, "-D", ...rule);
  }
  await untilStatus(
    host,
    "no problem is left",
    ({ problems }) => problems.length === 0,
    NOTICED_MS_MAX,
  );
}

/** As the documentation has it; the options that this Docker does not know are for later ones. */
async function ownNetwork([daemon, other]: readonly DockerDaemon[]): Promise<void> {
  assert.ok(daemon !== undefined && other !== undefined);
  await daemon.stop();
  const { host } = daemon;
  await host.namespace.output(["ip", "link", "delete", "docker0"]);
  const plain = new DockerDaemon(host, ["--bridge=none"]);
  await plain.start();
  await plain.ok("rm", "-f", "again");
  const { subnet, gateway, mtu } = await host.waitForSubnet();
  const options = [
    `driver.mtu=${mtu}`,
    "bridge.enable_ip_masquerade=false",
    "bridge.gateway_mode_ipv4=nat-unprotected",
  ].flatMap((option) => ["-o", `com.docker.network.${option}`]);
  await plain.ok(
    "network",
    "create",
    `--subnet=${subnet}`,
    `--gateway=${gateway}`,
    ...options,
    "own",
  );
  await plain.ok("run", "-d", "--stop-signal=KILL", "--network=own", "--name=own", "lab", ...WEB);
  const address = await plain.ok(
    ...["inspect", "-f", "{{.NetworkSettings.Networks.own.IPAddress}}", "own"],
  );
  await other.ok("exec", "again", "ping", "-c", "1", "-W", "2", "-s", String(mtu - 28), address);
  await plain.stop();
}

function prefix(address: string): string {
  return address.replace(/\.\d+$/, "");
}
