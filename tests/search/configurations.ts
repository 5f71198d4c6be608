/**
 * What is searched. Those of CI are small enough to be searched to their end within a minute on one core; the deep ones are for
 * changes of the protocol, and some rules show only in them.
 */
import type { Configuration } from "./state.ts";

export const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: "talk",
    hosts: 3,
    subnets: 2,
    budget: { total: 3, overtake: 2, lose: 2, double: 1 },
    midway: false,
  },
  {
    name: "crashes",
    hosts: 2,
    subnets: 2,
    budget: { total: 2, overtake: 2, lose: 2, delay: 2, crash: 2, release: 1, refuse: 1 },
    midway: true,
  },
  {
    name: "split",
    hosts: 2,
    subnets: 2,
    budget: { total: 3, partition: 1, rollback: 1, crash: 1, release: 1, pause: 1, lose: 1 },
    midway: false,
  },
  {
    name: "one-subnet",
    hosts: 3,
    subnets: 1,
    budget: { total: 2, partition: 1, release: 1, crash: 2, rollback: 1, overtake: 1 },
    midway: false,
  },
  {
    name: "three-split",
    hosts: 3,
    subnets: 2,
    budget: { total: 2, partition: 1, release: 1, crash: 1, rollback: 1, lose: 1 },
    midway: false,
  },
  {
    name: "founders",
    hosts: 2,
    subnets: 2,
    founders: [0, 1],
    side: 1,
    budget: { total: 3, rollback: 1, crash: 1, release: 1, lose: 1 },
    midway: false,
  },
  {
    name: "founders-3",
    hosts: 3,
    subnets: 2,
    founders: [0, 1],
    side: 1,
    budget: { total: 1, rollback: 1, crash: 1, overtake: 1 },
    midway: false,
  },
  {
    name: "forget",
    hosts: 2,
    subnets: 1,
    budget: { total: 3, forget: 2, crash: 1, lose: 1, overtake: 1, release: 1 },
    midway: true,
  },
];

export const DEEP: readonly Configuration[] = [
  {
    name: "deep-one",
    hosts: 3,
    subnets: 1,
    budget: { total: 2, partition: 1, release: 1, crash: 1 },
    midway: false,
  },
  {
    name: "deep-talk",
    hosts: 3,
    subnets: 2,
    budget: { total: 4, overtake: 3, lose: 3, double: 2, release: 1 },
    midway: false,
  },
  {
    name: "deep-split",
    hosts: 2,
    subnets: 2,
    budget: { total: 3, partition: 1, rollback: 1, crash: 1, release: 1, pause: 1, lose: 1 },
    midway: false,
  },
  {
    name: "deep-founders",
    hosts: 3,
    subnets: 2,
    founders: [0, 1],
    starts: [0, 1],
    side: 1,
    budget: { total: 2, rollback: 1, crash: 1 },
    midway: false,
  },
  {
    name: "deep-three",
    hosts: 3,
    subnets: 2,
    budget: { total: 2, partition: 1, rollback: 1, crash: 2, release: 1, overtake: 1, lose: 1 },
    midway: false,
  },
  {
    name: "deep-days",
    hosts: 2,
    subnets: 1,
    budget: { total: 3, rollback: 1, release: 1, crash: 1 },
    midway: false,
    horizonMs: 26 * 3_600_000,
  },
];
