import type { Version } from './items.ts'

const yes = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/
const no = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/

/** A truth value as yaml-cpp reads it, quoted or not. */
export function parseBool(text: string): boolean | undefined {
  if (yes.test(text)) return true
  return no.test(text) ? false : undefined
}

/** An unsigned integer in decimal, `0x…` or `0…` (octal), of 32 bits. */
export function parseUnsigned(text: string): number | undefined {
  const value = readUnsigned(text)
  return value !== undefined && value <= 0xffffffff ? value : undefined
}

function readUnsigned(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number(text)
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8)
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

export function parseVersion(text: string): Version | undefined {
  const match = /^\s*(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?![0-9])/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}

/** Same major version, and at least the version asked for. */
export function isCompatible(have: Version, want: Version): boolean {
  if (have[0] !== want[0]) return false
  return have[1] === want[1] ? have[2] >= want[2] : have[1] > want[1]
}

/** Negative, zero or positive, as the first version is lower than the second, equal or higher. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
