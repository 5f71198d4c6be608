/** The value of `--http`. */
import { quoteStart } from "../../base/quote.ts";
import { type HttpPlace, parseHttpPlace } from "../../host/http_place.ts";
import { BadValue, QUOTED_CHARACTERS_MAX } from "./setting.ts";

/** Checks the text and returns it as it was. */
export function httpPlace(text: string): string {
  const place = parseHttpPlace(text);
  if (typeof place !== "string") return text;
  throw new BadValue(
    `${quoteStart(text, QUOTED_CHARACTERS_MAX)} ${place}`,
    "give ADDRESS:PORT such as 127.0.0.1:9000 or [::1]:9000, or the path of a unix socket",
  );
}

/** What {@linkcode httpPlace} let through, taken apart; null for nothing. */
export function httpPlaceOf(text: string | null): HttpPlace | null {
  const place = text === null ? null : parseHttpPlace(text);
  return typeof place === "string" ? null : place;
}
