import type { FieldType } from './value.ts'

export interface EventParam {
  readonly name: string
  readonly type: FieldType
  /** Name of the table in `flagTables` that gives the bits or values their names. */
  readonly flags?: string
}

export interface EventType {
  readonly name: string
  /** file, net, process, …; Falco's evt.category. */
  readonly category: string
  readonly params: readonly EventParam[]
}

/**
 * Events with arguments of their own: name, category, parameters as `name:TYPE` or
 * `name:TYPE{flag table}`. Facts from Falco's driver schema 4.5. One exists per system call, at its
 * exit. Rows are only ever appended: the row number is the event type's number on the wire.
 */
const described: readonly (readonly [name: string, category: string, params: string])[] = [
  [
    'execve',
    'process',
    'res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:UINT32 vpgid:PID loginuid:UID flags:FLAGS32{execve_flags} cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64 exe_ino:UINT64 exe_ino_ctime:ABSTIME exe_ino_mtime:ABSTIME uid:UID trusted_exepath:FSPATH pgid:PID gid:GID filename:FSPATH',
  ],
  [
    'execveat',
    'process',
    'res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:UINT32 vpgid:PID loginuid:UID flags:FLAGS32{execve_flags} cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64 exe_ino:UINT64 exe_ino_ctime:ABSTIME exe_ino_mtime:ABSTIME uid:UID trusted_exepath:FSPATH pgid:PID gid:GID',
  ],
  [
    'clone',
    'process',
    'res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32{clone_flags} uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64',
  ],
  [
    'clone3',
    'process',
    'res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32{clone_flags} uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64',
  ],
  [
    'fork',
    'process',
    'res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32{clone_flags} uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64',
  ],
  [
    'vfork',
    'process',
    'res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32{clone_flags} uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64',
  ],
  ['procexit', 'process', 'status:ERRNO ret:ERRNO sig:SIGTYPE core:UINT8 reaper_tid:PID'],
  ['open', 'file', 'fd:FD name:FSPATH flags:FLAGS32{file_flags} mode:UINT32 dev:UINT32 ino:UINT64'],
  [
    'openat',
    'file',
    'fd:FD dirfd:FD name:FSRELPATH flags:FLAGS32{file_flags} mode:UINT32 dev:UINT32 ino:UINT64',
  ],
  [
    'openat2',
    'file',
    'fd:FD dirfd:FD name:FSRELPATH flags:FLAGS32{file_flags} mode:UINT32 resolve:FLAGS32{openat2_flags} dev:UINT32 ino:UINT64',
  ],
  [
    'open_by_handle_at',
    'file',
    'fd:FD mountfd:FD flags:FLAGS32{file_flags} path:FSPATH dev:UINT32 ino:UINT64',
  ],
  [
    'creat',
    'file',
    'fd:FD name:FSPATH mode:UINT32 dev:UINT32 ino:UINT64 creat_flags:FLAGS16{creat_flags}',
  ],
  ['close', 'io_other', 'res:ERRNO fd:FD'],
  [
    'close_range',
    'io_other',
    'res:ERRNO first:UINT32 last:UINT32 flags:FLAGS32{close_range_flags}',
  ],
  ['dup', 'io_other', 'res:FD oldfd:FD'],
  ['dup2', 'io_other', 'res:FD oldfd:FD newfd:FD'],
  ['dup3', 'io_other', 'res:FD oldfd:FD newfd:FD flags:FLAGS32{file_flags}'],
  ['fcntl', 'io_other', 'res:FD fd:FD cmd:ENUMFLAGS8{fcntl_commands} arg:UINT64'],
  ['connect', 'net', 'res:ERRNO tuple:SOCKTUPLE fd:FD addr:SOCKADDR'],
  ['accept', 'net', 'fd:FD tuple:SOCKTUPLE queuepct:UINT8 queuelen:UINT32 queuemax:UINT32'],
  [
    'accept4',
    'net',
    'fd:FD tuple:SOCKTUPLE queuepct:UINT8 queuelen:UINT32 queuemax:UINT32 flags:INT32',
  ],
  ['bind', 'net', 'res:ERRNO addr:SOCKADDR fd:FD'],
  ['listen', 'net', 'res:ERRNO fd:FD backlog:INT32'],
  [
    'socket',
    'net',
    'fd:FD domain:ENUMFLAGS32{socket_families} type:UINT32 proto:UINT32 flags:FLAGS32{file_flags}',
  ],
  [
    'socketpair',
    'ipc',
    'res:ERRNO fd1:FD fd2:FD source:UINT64 peer:UINT64 domain:ENUMFLAGS32{socket_families} type:UINT32 proto:UINT32',
  ],
  ['shutdown', 'net', 'res:ERRNO fd:FD how:ENUMFLAGS8{shutdown_how}'],
  [
    'getsockopt',
    'net',
    'res:ERRNO fd:FD level:ENUMFLAGS8{sockopt_levels} optname:ENUMFLAGS8{sockopt_options} val:DYN optlen:UINT32',
  ],
  ['sendto', 'io_write', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE'],
  ['sendmsg', 'io_write', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE'],
  ['sendmmsg', 'io_write', 'res:ERRNO fd:FD size:UINT32 data:BYTEBUF tuple:SOCKTUPLE'],
  ['send', 'io_write', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE'],
  ['recvfrom', 'io_read', 'res:ERRNO data:BYTEBUF tuple:SOCKTUPLE fd:FD size:UINT32'],
  [
    'recvmsg',
    'io_read',
    'res:ERRNO size:UINT32 data:BYTEBUF tuple:SOCKTUPLE msgcontrol:BYTEBUF fd:FD',
  ],
  [
    'recvmmsg',
    'io_read',
    'res:ERRNO fd:FD size:UINT32 data:BYTEBUF tuple:SOCKTUPLE msgcontrol:BYTEBUF',
  ],
  ['recv', 'io_read', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE'],
  ['read', 'io_read', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32'],
  ['write', 'io_write', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32'],
  ['readv', 'io_read', 'res:ERRNO size:UINT32 data:BYTEBUF fd:FD'],
  ['writev', 'io_write', 'res:ERRNO data:BYTEBUF fd:FD size:UINT32'],
  ['sendfile', 'io_write', 'res:ERRNO offset:UINT64 out_fd:FD in_fd:FD size:UINT64'],
  ['splice', 'io_other', 'res:ERRNO fd_in:FD fd_out:FD size:UINT64 flags:FLAGS32{splice_flags}'],
  ['copy_file_range', 'file', 'res:ERRNO fdout:FD offout:UINT64 fdin:FD offin:UINT64 len:UINT64'],
  ['unlink', 'file', 'res:ERRNO path:FSPATH'],
  ['unlinkat', 'file', 'res:ERRNO dirfd:FD name:FSRELPATH flags:FLAGS32{unlinkat_flags}'],
  ['rename', 'file', 'res:ERRNO oldpath:FSPATH newpath:FSPATH'],
  ['renameat', 'file', 'res:ERRNO olddirfd:FD oldpath:FSRELPATH newdirfd:FD newpath:FSRELPATH'],
  [
    'renameat2',
    'file',
    'res:ERRNO olddirfd:FD oldpath:FSRELPATH newdirfd:FD newpath:FSRELPATH flags:FLAGS32{renameat2_flags}',
  ],
  ['rmdir', 'file', 'res:ERRNO path:FSPATH'],
  ['mkdir', 'file', 'res:ERRNO path:FSPATH mode:UINT32'],
  ['mkdirat', 'file', 'res:ERRNO dirfd:FD path:FSRELPATH mode:UINT32'],
  ['link', 'file', 'res:ERRNO oldpath:FSPATH newpath:FSPATH'],
  [
    'linkat',
    'file',
    'res:ERRNO olddir:FD oldpath:FSRELPATH newdir:FD newpath:FSRELPATH flags:FLAGS32{linkat_flags}',
  ],
  ['symlink', 'file', 'res:ERRNO target:CHARBUF linkpath:FSPATH'],
  ['symlinkat', 'file', 'res:ERRNO target:CHARBUF linkdirfd:FD linkpath:FSRELPATH'],
  ['chmod', 'file', 'res:ERRNO filename:FSPATH mode:MODE{chmod_mode}'],
  ['fchmod', 'file', 'res:ERRNO fd:FD mode:MODE{chmod_mode}'],
  ['fchmodat', 'file', 'res:ERRNO dirfd:FD filename:FSRELPATH mode:MODE{chmod_mode}'],
  ['chown', 'file', 'res:ERRNO path:FSPATH uid:UINT32 gid:UINT32'],
  ['fchown', 'file', 'res:ERRNO fd:FD uid:UINT32 gid:UINT32'],
  ['lchown', 'file', 'res:ERRNO path:FSPATH uid:UINT32 gid:UINT32'],
  [
    'fchownat',
    'file',
    'res:ERRNO dirfd:FD pathname:FSRELPATH uid:UINT32 gid:UINT32 flags:FLAGS32{fchownat_flags}',
  ],
  ['mknod', 'other', 'res:ERRNO path:FSPATH mode:MODE{mknod_mode} dev:UINT32'],
  ['mknodat', 'other', 'res:ERRNO dirfd:FD path:FSRELPATH mode:MODE{mknod_mode} dev:UINT32'],
  ['access', 'file', 'res:ERRNO name:FSPATH mode:FLAGS32{access_flags}'],
  [
    'quotactl',
    'user',
    'res:ERRNO special:CHARBUF quotafilepath:CHARBUF dqb_bhardlimit:UINT64 dqb_bsoftlimit:UINT64 dqb_curspace:UINT64 dqb_ihardlimit:UINT64 dqb_isoftlimit:UINT64 dqb_btime:RELTIME dqb_itime:RELTIME dqi_bgrace:RELTIME dqi_igrace:RELTIME dqi_flags:FLAGS8{quotactl_dqi_flags} quota_fmt_out:FLAGS8{quotactl_quota_fmts} cmd:FLAGS16{quotactl_cmds} type:FLAGS8{quotactl_types} id:UINT32 quota_fmt:FLAGS8{quotactl_quota_fmts}',
  ],
  ['chdir', 'file', 'res:ERRNO path:CHARBUF'],
  ['fchdir', 'file', 'res:ERRNO fd:FD'],
  ['getcwd', 'file', 'res:ERRNO path:CHARBUF'],
  ['chroot', 'process', 'res:ERRNO path:FSPATH'],
  ['mount', 'file', 'res:ERRNO dev:CHARBUF dir:FSPATH type:CHARBUF flags:FLAGS32{mount_flags}'],
  ['umount', 'file', 'res:ERRNO name:FSPATH'],
  ['umount2', 'file', 'res:ERRNO name:FSPATH flags:FLAGS32{umount_flags}'],
  ['setns', 'process', 'res:ERRNO fd:FD nstype:FLAGS32{clone_flags}'],
  ['unshare', 'process', 'res:ERRNO flags:FLAGS32{clone_flags}'],
  ['setuid', 'user', 'res:ERRNO uid:UID'],
  ['setgid', 'user', 'res:ERRNO gid:GID'],
  ['setreuid', 'user', 'res:ERRNO ruid:UID euid:UID'],
  ['setregid', 'user', 'res:ERRNO rgid:UID egid:UID'],
  ['setresuid', 'user', 'res:ERRNO ruid:UID euid:UID suid:UID'],
  ['setresgid', 'user', 'res:ERRNO rgid:GID egid:GID sgid:GID'],
  ['setsid', 'process', 'res:PID'],
  ['setpgid', 'process', 'res:ERRNO pid:PID pgid:PID'],
  [
    'capset',
    'process',
    'res:ERRNO cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64',
  ],
  ['ptrace', 'process', 'res:ERRNO addr:DYN data:DYN request:ENUMFLAGS16{ptrace_requests} pid:PID'],
  [
    'prctl',
    'process',
    'res:ERRNO option:ENUMFLAGS32{prctl_options} arg2_str:CHARBUF arg2_int:INT64',
  ],
  ['process_vm_readv', 'ipc', 'res:INT64 pid:PID data:BYTEBUF'],
  ['process_vm_writev', 'ipc', 'res:INT64 pid:PID data:BYTEBUF'],
  ['seccomp', 'other', 'res:ERRNO op:UINT64 flags:UINT64'],
  ['kill', 'signal', 'res:ERRNO pid:PID sig:SIGTYPE'],
  ['tkill', 'signal', 'res:ERRNO tid:PID sig:SIGTYPE'],
  ['tgkill', 'signal', 'res:ERRNO pid:PID tid:PID sig:SIGTYPE'],
  ['signaldeliver', 'signal', 'spid:PID dpid:PID sig:SIGTYPE'],
  ['bpf', 'other', 'fd:FD cmd:ENUMFLAGS32{bpf_commands}'],
  ['init_module', 'other', 'res:ERRNO img:BYTEBUF length:UINT64 uargs:CHARBUF'],
  ['finit_module', 'other', 'res:ERRNO fd:FD uargs:CHARBUF flags:FLAGS32{finit_module_flags}'],
  ['delete_module', 'other', 'res:ERRNO name:CHARBUF flags:FLAGS32{delete_module_flags}'],
  ['memfd_create', 'memory', 'fd:FD name:CHARBUF flags:FLAGS32{memfd_create_flags}'],
  ['userfaultfd', 'file', 'res:ERRNO flags:FLAGS32{file_flags}'],
  [
    'io_uring_setup',
    'io_other',
    'res:ERRNO entries:UINT32 sq_entries:UINT32 cq_entries:UINT32 flags:FLAGS32{io_uring_setup_flags} sq_thread_cpu:UINT32 sq_thread_idle:UINT32 features:FLAGS32{io_uring_setup_feats}',
  ],
  [
    'mmap',
    'memory',
    'res:ERRNO vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 addr:UINT64 length:UINT64 prot:FLAGS32{prot_flags} flags:FLAGS32{mmap_flags} fd:FD offset:UINT64',
  ],
  ['mprotect', 'memory', 'res:ERRNO addr:UINT64 length:UINT64 prot:FLAGS32{prot_flags}'],
  ['pidfd_open', 'process', 'fd:FD pid:PID flags:FLAGS32{pidfd_open_flags}'],
  ['pidfd_getfd', 'process', 'fd:FD pid_fd:FD target_fd:FD flags:UINT32'],
  ['pipe', 'ipc', 'res:ERRNO fd1:FD fd2:FD ino:UINT64'],
  ['pipe2', 'ipc', 'res:ERRNO fd1:FD fd2:FD ino:UINT64 flags:FLAGS32{file_flags}'],
  ['eventfd', 'ipc', 'res:FD initval:UINT64 flags:UINT32'],
  ['eventfd2', 'ipc', 'res:FD flags:FLAGS16{file_flags} initval:UINT64'],
  ['signalfd', 'signal', 'res:FD fd:FD mask:UINT32 flags:UINT8'],
  ['signalfd4', 'signal', 'res:FD flags:FLAGS16{file_flags} fd:FD mask:UINT32'],
  ['timerfd_create', 'time', 'res:FD clockid:UINT8 flags:UINT8'],
  ['inotify_init', 'ipc', 'res:FD flags:UINT8'],
  ['inotify_init1', 'ipc', 'res:FD flags:FLAGS16{file_flags}'],
  ['epoll_create', 'wait', 'res:ERRNO size:INT32'],
  ['epoll_create1', 'wait', 'res:ERRNO flags:FLAGS32{epoll_create1_flags}'],
  ['getrlimit', 'process', 'res:ERRNO cur:INT64 max:INT64 resource:ENUMFLAGS8{rlimit_resources}'],
  ['setrlimit', 'process', 'res:ERRNO cur:INT64 max:INT64 resource:ENUMFLAGS8{rlimit_resources}'],
  [
    'prlimit',
    'process',
    'res:ERRNO newcur:INT64 newmax:INT64 oldcur:INT64 oldmax:INT64 pid:INT64 resource:ENUMFLAGS8{rlimit_resources}',
  ],
  ['ioctl', 'io_other', 'res:ERRNO fd:FD request:UINT64 argument:UINT64'],
  ['poll', 'wait', 'res:ERRNO fds:FDLIST timeout:INT64'],
  ['ppoll', 'wait', 'res:ERRNO fds:FDLIST timeout:RELTIME sigmask:SIGSET'],
  ['asyncevent', 'other', 'plugin_id:UINT32 name:CHARBUF data:BYTEBUF'],
  ['container', 'process', 'json:CHARBUF'],
  [
    'switch',
    'scheduler',
    'next:PID pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32',
  ],
  ['drop', 'internal', 'ratio:UINT32'],
]

/** Every other system call of x86-64: Falco's event is generic, with its name and result alone. */
const generic =
  'stat fstat lstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64 ' +
  'select sched_yield mremap msync mincore madvise shmget shmat shmctl pause nanosleep ' +
  'getitimer alarm setitimer getpid getsockname getpeername setsockopt exit wait4 uname semget ' +
  'semop semctl shmdt msgget msgsnd msgrcv msgctl flock fsync fdatasync truncate ftruncate ' +
  'getdents readlink umask gettimeofday getrusage sysinfo times getuid syslog getgid geteuid ' +
  'getegid getppid getpgrp getgroups setgroups getresuid getresgid getpgid setfsuid setfsgid ' +
  'getsid capget rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime ' +
  'uselib personality ustat statfs fstatfs sysfs getpriority setpriority sched_setparam ' +
  'sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max ' +
  'sched_get_priority_min sched_rr_get_interval mlock munlock mlockall munlockall vhangup ' +
  'modify_ldt pivot_root _sysctl arch_prctl adjtimex sync acct settimeofday swapon swapoff ' +
  'reboot sethostname setdomainname iopl ioperm create_module get_kernel_syms query_module ' +
  'nfsservctl getpmsg putpmsg afs_syscall tuxcall security gettid readahead setxattr lsetxattr ' +
  'fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr ' +
  'lremovexattr fremovexattr time futex sched_setaffinity sched_getaffinity set_thread_area ' +
  'io_setup io_destroy io_getevents io_submit io_cancel get_thread_area lookup_dcookie ' +
  'epoll_ctl_old epoll_wait_old remap_file_pages getdents64 set_tid_address restart_syscall ' +
  'semtimedop fadvise64 timer_create timer_settime timer_gettime timer_getoverrun timer_delete ' +
  'clock_settime clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl ' +
  'utimes vserver mbind set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend ' +
  'mq_timedreceive mq_notify mq_getsetattr kexec_load waitid add_key request_key keyctl ' +
  'ioprio_set ioprio_get inotify_add_watch inotify_rm_watch migrate_pages futimesat newfstatat ' +
  'readlinkat faccessat pselect6 set_robust_list get_robust_list tee sync_file_range vmsplice ' +
  'move_pages utimensat epoll_pwait fallocate timerfd_settime timerfd_gettime preadv pwritev ' +
  'rt_tgsigqueueinfo perf_event_open fanotify_init fanotify_mark prlimit64 name_to_handle_at ' +
  'clock_adjtime syncfs getcpu kcmp sched_setattr sched_getattr getrandom kexec_file_load ' +
  'membarrier mlock2 preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx io_pgetevents ' +
  'rseq pidfd_send_signal io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig ' +
  'fsmount fspick faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd ' +
  'landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret ' +
  'process_mrelease futex_waitv set_mempolicy_home_node'

/**
 * What the arguments of some of them are. These parameters are Lanner's own: a rule that compares them
 * is none for Falco.
 */
const genericParams: Readonly<Record<string, string>> = {
  truncate: 'res:ERRNO path:FSPATH length:UINT64',
  ftruncate: 'res:ERRNO fd:FD length:UINT64',
  keyctl: 'res:INT64 cmd:INT32 arg2:UINT64 arg3:UINT64 arg4:UINT64',
  add_key: 'res:INT64 type:CHARBUF desc:CHARBUF keyring:INT32',
  request_key: 'res:INT64 type:CHARBUF desc:CHARBUF keyring:INT32',
  perf_event_open: 'res:FD type:UINT32 config:UINT64 pid:PID cpu:INT32 group_fd:FD flags:UINT64',
  pivot_root: 'res:ERRNO new_root:FSPATH put_old:FSPATH',
  kexec_load: 'res:ERRNO entry:UINT64 segments:UINT64 flags:UINT64',
  kexec_file_load: 'res:ERRNO kernel_fd:FD initrd_fd:FD cmdline:CHARBUF flags:UINT64',
  personality: 'res:INT64 persona:UINT64',
  sethostname: 'res:ERRNO name:CHARBUF',
  setdomainname: 'res:ERRNO name:CHARBUF',
  swapon: 'res:ERRNO path:FSPATH flags:INT32',
  swapoff: 'res:ERRNO path:FSPATH',
  acct: 'res:ERRNO path:FSPATH',
  setxattr: 'res:ERRNO path:FSPATH name:CHARBUF',
  lsetxattr: 'res:ERRNO path:FSPATH name:CHARBUF',
  fsetxattr: 'res:ERRNO fd:FD name:CHARBUF',
  removexattr: 'res:ERRNO path:FSPATH name:CHARBUF',
  lremovexattr: 'res:ERRNO path:FSPATH name:CHARBUF',
  fremovexattr: 'res:ERRNO fd:FD name:CHARBUF',
  readlink: 'res:INT64 path:FSPATH',
  readlinkat: 'res:INT64 dirfd:FD path:FSRELPATH',
  stat: 'res:ERRNO path:FSPATH',
  lstat: 'res:ERRNO path:FSPATH',
  newfstatat: 'res:ERRNO dirfd:FD path:FSRELPATH flags:UINT32',
  statx: 'res:ERRNO dirfd:FD path:FSRELPATH flags:UINT32',
  faccessat: 'res:ERRNO dirfd:FD path:FSRELPATH mode:UINT32',
  faccessat2: 'res:ERRNO dirfd:FD path:FSRELPATH mode:UINT32 flags:UINT32',
  utimensat: 'res:ERRNO dirfd:FD path:FSRELPATH flags:UINT32',
  inotify_add_watch: 'res:INT64 fd:FD path:FSPATH mask:UINT32',
  fanotify_init: 'res:FD flags:UINT32 event_flags:UINT32',
  open_tree: 'res:FD dirfd:FD path:FSRELPATH flags:UINT32',
  move_mount: 'res:ERRNO from_dirfd:FD from:FSRELPATH to_dirfd:FD to:FSRELPATH',
  fsopen: 'res:FD fs:CHARBUF flags:UINT32',
  fsmount: 'res:FD fd:FD flags:UINT32 attr_flags:UINT32',
  mount_setattr: 'res:ERRNO dirfd:FD path:FSRELPATH flags:UINT32',
  name_to_handle_at: 'res:ERRNO dirfd:FD path:FSRELPATH',
  memfd_secret: 'res:FD flags:UINT32',
  pidfd_send_signal: 'res:ERRNO pidfd:FD sig:SIGTYPE',
  rt_sigqueueinfo: 'res:ERRNO pid:PID sig:SIGTYPE',
  rt_tgsigqueueinfo: 'res:ERRNO pid:PID tid:PID sig:SIGTYPE',
  io_uring_enter: 'res:INT64 fd:FD to_submit:UINT32 min_complete:UINT32 flags:UINT32',
  io_uring_register: 'res:INT64 fd:FD opcode:UINT32',
  syslog: 'res:INT64 type:INT32',
  reboot: 'res:ERRNO magic:UINT32 magic2:UINT32 cmd:UINT32',
  setfsuid: 'res:UINT32 uid:UID',
  setfsgid: 'res:UINT32 gid:GID',
}

/** Any other: the first registers as they were, as an audit record has them. */
const rawParams = 'res:INT64 a0:UINT64 a1:UINT64 a2:UINT64 a3:UINT64'

function parseParam(text: string): EventParam {
  const [name, rest] = text.split(':') as [string, string]
  const brace = rest.indexOf('{')
  if (brace < 0) return { name, type: rest as FieldType }
  return { name, type: rest.slice(0, brace) as FieldType, flags: rest.slice(brace + 1, -1) }
}

/** All event types; the index is the number that events carry. */
export const eventTypes: readonly EventType[] = [
  ...described.map(([name, category, params]) => ({
    name,
    category,
    params: params.split(' ').map(parseParam),
  })),
  ...generic.split(' ').map((name) => ({
    name,
    category: 'other',
    params: (genericParams[name] ?? rawParams).split(' ').map(parseParam),
  })),
]

const byName = new Map(eventTypes.map((type, index) => [type.name, index]))

/** Number of the event type called `name`, -1 when there is none. */
export function eventTypeId(name: string): number {
  return byName.get(name) ?? -1
}
