/** The drop-in for the unit of Docker, by Docker's version. */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { dockerDropInText, dockerVersionOf } from "../../../mod/cli/docker_drop_in.ts";

function dropIn(version: string): string {
  return dockerDropInText({
    gossamer: "/usr/local/bin/gossamer",
    dockerd: "/usr/sbin/dockerd",
    subnetFile: "/run/flannel/subnet.env",
    version: dockerVersionOf(`Docker version ${version}, build 0`),
  });
}

Deno.test("Docker starts after the agent, with options that are made before", () => {
  const lines = dropIn("20.10.24+dfsg1").split("\n");
  equal(lines.includes("After=gossamer.service"), true);
  const before = lines.indexOf(
    "ExecStartPre=/usr/local/bin/gossamer docker-opts -c -f /run/flannel/subnet.env " +
      "-d /run/docker_opts.env",
  );
  equal(before > 0, true);
  // The second one takes the place of the unit's own.
  const starts = lines.filter((line) => line.startsWith("ExecStart="));
  equal(starts[0], "ExecStart=");
  match(starts[1] ?? "", /^ExecStart=\/usr\/sbin\/dockerd -H fd:\/\/ .* \$DOCKER_OPTS$/);
});

Deno.test("what lets other hosts' packets in goes by the version", () => {
  const option = / --allow-direct-routing$/m;
  const variable = /^Environment=DOCKER_INSECURE_NO_IPTABLES_RAW=1$/m;
  for (const version of ["20.10.24", "28.0.1", "28.1.1", "not known"]) {
    doesNotMatch(dropIn(version), option, version);
    match(dropIn(version), variable, version);
  }
  for (const version of ["28.2.0", "28.5.2", "29.0.3", "100.0.0"]) {
    match(dropIn(version), option, version);
    doesNotMatch(dropIn(version), variable, version);
  }
});

Deno.test("the version is read from what dockerd prints", () => {
  deepEqual(dockerVersionOf("Docker version 28.2.2, build e6534b4\n"), {
    major: 28,
    minor: 2,
    patch: 2,
  });
  equal(dockerVersionOf("29.0.3")?.major, 29);
  equal(dockerVersionOf("podman version 4.3.1"), null);
  equal(dockerVersionOf(""), null);
});
