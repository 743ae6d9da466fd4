/**
 * Where things lie in a record, in bytes: the mirror of `collector/bpf/event.h`, which a test
 * compares with the BTF of the built object.
 */
export const EVENT = {
  size: 0,
  shape: 2,
  flags: 3,
  syscall: 4,
  cpu: 6,
  seq: 8,
  time: 16,
  start: 24,
  pid: 32,
  tid: 36,
  euid: 40,
  egid: 44,
  cap_effective: 48,
  cap_permitted: 56,
  result: 64,
} as const
export const EVENT_BYTES = 72

export const CALL = { args: 72 } as const
export const CALL_BYTES = 120

export const PROCESS = {
  parent_start: 72,
  cap_inheritable: 80,
  cap_bounding: 88,
  exe_inode: 96,
  exe_ctime: 104,
  exe_mtime: 112,
  pid_namespace_start: 120,
  ppid: 128,
  vpid: 132,
  vtid: 136,
  sid: 140,
  pgid: 144,
  vpgid: 148,
  uid: 152,
  gid: 156,
  login_uid: 160,
  tty: 164,
  seccomp: 168,
  exe_dev: 172,
  exe_mode: 176,
  exe_uid: 180,
  exe_gid: 184,
  exe_flags: 188,
  mnt_namespace: 192,
  pid_namespace: 196,
  net_namespace: 200,
  user_namespace: 204,
} as const
export const PROCESS_BYTES = 208

export const FORK = { ppid: 72, vpid: 76, sid: 80, pgid: 84, vpgid: 88, pid_namespace: 92 } as const
export const FORK_BYTES = 96

export const EXIT = { status: 72, reaper: 76 } as const
export const EXIT_BYTES = 80

export const FILE_ITEM = { inode: 0, dev: 8, mode: 12, open_flags: 16, flags: 20 } as const

export const FILE_ITEM_BYTES = 24

export const SOCKET_ITEM = {
  family: 0,
  type: 2,
  protocol: 4,
  state: 6,
  local_port: 8,
  remote_port: 10,
  local: 12,
  remote: 28,
  inode: 48,
} as const

export const OPEN_HOW_ITEM = { flags: 0, mode: 8, resolve: 16 } as const

export const CONTROL = {
  active: 0,
  enabled: 4,
  uring_completes: 8,
  tampered: 12,
  ignored: 16,
  quiet: 24,
  wake_bytes: 32,
  epoch: 40,
} as const

export const FILTER = {
  wanted: 0,
  opens: 128,
  listed_opens: 136,
  dotted_opens: 144,
  opens_differ: 152,
  environment: 156,
} as const
export const FILTER_BYTES = 160

export const PROGRESS = {
  next_seq: 0,
  last_time: 8,
  lost: 16,
  compat_unmapped: 48,
  last_wake: 56,
} as const

export const CPU_COUNTERS = {
  seen: 0,
  rejected: 8,
  rejected_scope: 16,
  rejected_class: 24,
  rejected_path: 32,
} as const
export const CPU_COUNTERS_BYTES = 64
export const MAX_CPUS = 256
export const RING_BYTES = 8 << 20
/** Limits of the lists of paths, see `struct filter`. */
export const MAX_PREFIX = 64
export const MAX_SUFFIX = 32
export const MAX_LISTED = 1024

export const Shape = { call: 1, exec: 2, snapshot: 3, fork: 4, exit: 5, ready: 6 } as const

export const Item = {
  path: 1,
  base: 2,
  base2: 3,
  file: 4,
  socket: 5,
  address: 6,
  unix: 7,
  comm: 8,
  args: 9,
  env: 10,
  cwd: 11,
  script: 12,
  cgroup: 13,
  openHow: 14,
  stream: 16,
  streamName: 20,
  arg0: 32,
} as const

/** Names of the loss counters, in the order of `enum loss_class`. */
export const lossClasses = ['other', 'file', 'network', 'process'] as const

/** Flag of a record: submitted through io_uring, completion not seen. */
export const FLAG_NO_RESULT = 16
