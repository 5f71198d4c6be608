/** Every command, in the order in which the overview lists them. */
import type { Command } from "../command.ts";
import { cleanupCommand } from "./cleanup.ts";
import { cniCommand } from "./cni.ts";
import { completionCommand } from "./completion.ts";
import { configCommand } from "./config.ts";
import { demoCommand } from "./demo.ts";
import { dockerOptsCommand } from "./docker_opts.ts";
import { doctorCommand } from "./doctor.ts";
import { forgetCommand } from "./forget.ts";
import { installCommand, uninstallCommand } from "./install.ts";
import { joinCommand } from "./join.ts";
import { keysCommand } from "./keys.ts";
import { leaveCommand } from "./leave.ts";
import { manCommand } from "./man.ts";
import { membersCommand } from "./members.ts";
import { monitorCommand } from "./monitor.ts";
import { pingCommand } from "./ping.ts";
import { podmanNetworkCommand } from "./podman_network.ts";
import { poolCommand } from "./pool.ts";
import { reportCommand } from "./report.ts";
import { simulateCommand } from "./simulate.ts";
import { statusCommand } from "./status.ts";
import { subnetsCommand } from "./subnets.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  upCommand,
  statusCommand,
  membersCommand,
  subnetsCommand,
  pingCommand,
  doctorCommand,
  monitorCommand,
  joinCommand,
  leaveCommand,
  forgetCommand,
  poolCommand,
  keysCommand,
  cleanupCommand,
  reportCommand,
  configCommand,
  installCommand,
  uninstallCommand,
  cniCommand,
  dockerOptsCommand,
  podmanNetworkCommand,
  demoCommand,
  simulateCommand,
  completionCommand(() => COMMANDS),
  manCommand(() => COMMANDS),
  versionCommand,
];
