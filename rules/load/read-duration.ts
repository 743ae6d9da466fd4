const second = 1_000_000_000n
const units: Readonly<Record<string, bigint>> = {
  ms: second / 1000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
  d: 86_400n * second,
  w: 7n * 86_400n * second,
}

/** Nanoseconds of a text like `500ms`, `60s`, `5m`, `12h`, `14d` or `2w`. */
export function parseDuration(text: string): bigint | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text)
  return match === null ? undefined : BigInt(match[1]!) * units[match[2]!]!
}
