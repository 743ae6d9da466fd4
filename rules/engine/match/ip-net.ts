/** A network: its 16-bit groups (2 for IPv4, 8 for IPv6) and how many leading bits count. */
export interface IpNet {
  readonly groups: readonly number[]
  readonly bits: number
}

/** Reads `address/length`; a text says what is wrong. Host bits are ignored. */
export function parseIpNet(text: string): IpNet | string {
  const slash = text.lastIndexOf('/')
  if (slash < 0) return `"${text}" is no network: address/length is expected`
  const groups = ipGroups(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (groups === undefined || !/^\d{1,3}$/.test(length)) return `"${text}" is no network`
  const bits = Number(length)
  if (bits > groups.length * 16) return `"${text}": the prefix is longer than the address`
  if (bits === 0 && groups.length === 8) return `"${text}": an IPv6 prefix has at least one bit`
  return { groups, bits }
}

/** Whether an address is in a network; false for an address of the other family or no address. */
export function inIpNet(address: string, net: IpNet): boolean {
  const groups = ipGroups(address)
  if (groups === undefined || groups.length !== net.groups.length) return false
  for (let i = 0, left = net.bits; left > 0; i++, left -= 16) {
    const mask = left >= 16 ? 0xffff : 0xffff ^ (0xffff >> left)
    if (((groups[i]! ^ net.groups[i]!) & mask) !== 0) return false
  }
  return true
}

/** 16-bit groups of an address; an address with a dot is IPv4. */
export function ipGroups(text: string): number[] | undefined {
  return text.includes('.') ? quadGroups(text) : colonGroups(text)
}

function quadGroups(text: string): number[] | undefined {
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(
    text,
  )
  if (match === null) return undefined
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number]
  return Math.max(a, b, c, d) > 255 ? undefined : [a * 256 + b, c * 256 + d]
}

function colonGroups(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = hexGroups(halves[0]!)
  const tail = halves.length === 2 ? hexGroups(halves[1]!) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...head, ...new Array<number>(missing).fill(0), ...tail]
}

function hexGroups(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined
  return parts.map((part) => Number.parseInt(part, 16))
}
