/** Reads the head of an HTTP request (RFC 9112), as strictly as a server may that has nothing to gain from guessing. Pure. */

export interface HttpRequest {
  readonly method: string;
  /** Without the query; as sent, percent-encoding and all. */
  readonly path: string;
  /** Of the Host field, without the port: `localhost`, `127.0.0.1`, `[::1]`; empty when it was not given. */
  readonly host: string;
  /** By lower-case name; of fields that came twice the values joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
}

const REQUEST_LINE = /^([A-Z]{1,20}) ([!-~]+) HTTP\/1\.([01])$/;
/** A field name is a token, and its value has no control characters but tabs. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\u0080-\u00ff]*?)[ \t]*$/;
/** A name, an IPv4 address or an IPv6 address in brackets; then perhaps a port. */
const HOST = /^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** The request of the text before the empty line; or a sentence that says what is wrong with it. */
export function parseHead(text: string): HttpRequest | string {
  const [first = "", ...lines] = text.split("\r\n");
  const line = REQUEST_LINE.exec(first);
  if (line === null) return "this is no request of HTTP/1.0 or HTTP/1.1";
  const [, method = "", target = "", minor] = line;
  const headers = new Map<string, string>();
  for (const field of lines) {
    const [match, name = "", value = ""] = FIELD.exec(field) ?? [];
    if (match === undefined) return "a line of the request is no header field";
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  // A proxy's form of the target names a host of its own, which counts (RFC 9112 section 3.2.2).
  const proxied = /^http:\/\/([^/?#]*)(\/[^?#]*)?/i.exec(target);
  const hostField = proxied?.[1] ?? headers.get("host");
  if (hostField === undefined && minor === "1") return "the request has no Host field";
  const host = hostField === undefined ? "" : HOST.exec(hostField)?.[1];
  if (host === undefined) return "the request's Host field is no host";
  const path = proxied === null ? /^\/[^?#]*/.exec(target)?.[0] : proxied[2] ?? "/";
  if (path === undefined) return "the request asks for no path";
  return { method, path, host: host.toLowerCase(), headers };
}
