/** The one form of an integer that rules see: a `number` while it is safe, a `bigint` beyond. */
export function toInteger(value: bigint): number | bigint {
  // an unsafe value never rounds to a safe one
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
