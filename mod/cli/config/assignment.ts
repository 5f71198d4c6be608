/** Settings as lines of a file. */

/** As in a file; what has no value is a comment. JSON's strings, numbers and lists are TOML's too. */
export function assignment(name: string, value: unknown): string {
  return value === null ? `# ${name}` : `${name} = ${JSON.stringify(value)}`;
}
