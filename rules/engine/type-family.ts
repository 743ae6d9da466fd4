import type { FieldType } from '#events'

/** Types that are compared in the same way. */
export type Family = 'text' | 'bytes' | 'bool' | 'number' | 'ip' | 'net' | 'other'

const families: Readonly<Partial<Record<FieldType, Family>>> = {
  CHARBUF: 'text',
  FSPATH: 'text',
  FSRELPATH: 'text',
  BYTEBUF: 'bytes',
  BOOL: 'bool',
  IPADDR: 'ip',
  IPNET: 'net',
  SOCKADDR: 'other',
  SOCKTUPLE: 'other',
  FDLIST: 'other',
  SIGSET: 'other',
}

export function familyOf(type: FieldType): Family {
  return families[type] ?? 'number'
}

interface Width {
  readonly bits: number
  readonly signed: boolean
  /** Constants of narrow types are read as 32-bit numbers and cut. */
  readonly cut: boolean
}

const wide: Width = { bits: 64, signed: true, cut: false }
const wideUnsigned: Width = { bits: 64, signed: false, cut: false }
const word: Width = { bits: 32, signed: false, cut: false }

const widths: Readonly<Partial<Record<FieldType, Width>>> = {
  INT8: { bits: 8, signed: true, cut: true },
  INT16: { bits: 16, signed: true, cut: true },
  INT32: { bits: 32, signed: true, cut: false },
  INT64: wide,
  UINT8: { bits: 8, signed: false, cut: true },
  UINT16: { bits: 16, signed: false, cut: true },
  UINT32: word,
  UINT64: wideUnsigned,
  DOUBLE: wide,
  FD: wide,
  PID: wide,
  ERRNO: wide,
  UID: word,
  GID: word,
  PORT: { bits: 16, signed: false, cut: true },
  MODE: word,
  FLAGS8: { bits: 8, signed: false, cut: true },
  FLAGS16: { bits: 16, signed: false, cut: true },
  FLAGS32: word,
  ENUMFLAGS8: { bits: 8, signed: false, cut: true },
  ENUMFLAGS16: { bits: 16, signed: false, cut: true },
  ENUMFLAGS32: word,
  SIGTYPE: { bits: 8, signed: false, cut: true },
  SYSCALLID: { bits: 16, signed: false, cut: true },
  RELTIME: wideUnsigned,
  ABSTIME: wideUnsigned,
  DYN: wide,
}

/** Width and sign of a number type, `undefined` for the others. */
export function widthOf(type: FieldType): Width | undefined {
  return widths[type]
}
