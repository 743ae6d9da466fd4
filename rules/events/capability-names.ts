/** Linux capabilities by bit number, without their common prefix. */
const names = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP ' +
  'LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER ' +
  'SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE ' +
  'SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP ' +
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF ' +
  'CHECKPOINT_RESTORE'
).split(' ')

/** Sets seen lately and their text: processes of one kind share one set. */
const texts = new Map<bigint, string>()
const textLimit = 256

/** A capability set as `CAP_A CAP_B`, lowest bit first. */
export function capabilityText(set: bigint): string {
  const known = texts.get(set)
  if (known !== undefined) return known
  const text = names
    .filter((_, bit) => (set >> BigInt(bit)) & 1n)
    .map((name) => `CAP_${name}`)
    .join(' ')
  if (texts.size >= textLimit) texts.clear()
  texts.set(set, text)
  return text
}
