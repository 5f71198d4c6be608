/** Amounts of data as people say them. Pure. */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** `0 B`, `950 B`, `1.2 kB`, `640 MB`: thousands, two digits at least where there are fractions. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  const digits = unit > 0 && amount < 9.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}
