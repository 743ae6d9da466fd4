import {
  eachCheck,
  eachOperandOf,
  openClasses,
  type Program,
  type Rule,
  type Scope,
  wantedEventTypes,
  wantedOpens,
} from '#engine'
import { eventTypes, type SyscallEvent } from '#events'
import { describedCalls } from './call-arguments.ts'
import type { KernelFilter, ScopeFilter } from './kernel-filter.ts'
import type { EnvironmentFilter } from './process-records.ts'
import { syscallNumber } from './syscalls-x64.ts'

/** What a rule set needs from the kernel and from the tables around the engine. */
export interface RuleNeeds {
  readonly kernel: KernelFilter
  readonly environment: EnvironmentFilter
  /** Host names that conditions compare addresses with. */
  readonly hostNames: readonly string[]
}

/** Calls that change what events say of a process: reported whatever the rules want. */
const stateCalls = ['chdir', 'fchdir']

const environmentField = /^proc\.a?env(?:\[(.*)\])?$/

/** Derives from compiled rules what must be collected for them, and nothing more. */
export function needsOf(program: Pick<Program<SyscallEvent>, 'rules'>): RuleNeeds {
  const environment = environmentOf(program.rules)
  return {
    kernel: {
      any: scopeFilter(program.rules, 'any'),
      host: scopeFilter(program.rules, 'host'),
      environment: environment === 'all' || environment.size > 0,
    },
    environment,
    hostNames: hostNamesOf(program.rules),
  }
}

/** Calls that programs make all the time and that change nothing: only for rules that name them. */
const busyCalls = new Set(
  (
    'read write readv writev close close_range fcntl mmap poll splice sendfile copy_file_range ' +
    'stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd ' +
    'getrlimit setrlimit pipe pipe2 eventfd eventfd2 epoll_create epoll_create1 timerfd_create ' +
    'signalfd signalfd4 inotify_init inotify_init1 inotify_add_watch clone clone3 fork vfork ' +
    'getsockopt shutdown socketpair sendmmsg recvmmsg io_uring_enter prctl utimensat ftruncate ' +
    'rt_sigqueueinfo rt_tgsigqueueinfo'
  ).split(' '),
)

/** Calls that have arguments worth looking at, for rules that do not say which they mean. */
const ordinaryCalls = [...describedCalls, 'execve', 'execveat'].filter(
  (name) => !busyCalls.has(name),
)

function scopeFilter(rules: readonly Rule[], scope: Scope): ScopeFilter {
  const names = new Set([...rules.flatMap((rule) => callsOf(rule, scope)), ...stateCalls])
  return { syscalls: numbersOf(names), opens: wantedOpens(rules, scope) }
}

function numbersOf(names: Iterable<string>): number[] {
  return [...names].flatMap((name) => syscallNumber(name) ?? [])
}

/**
 * The calls a rule can match. A rule without a word on event types could match every call there is,
 * reads and waits too: it gets those whose arguments are read, as no other has anything to compare.
 */
function callsOf(rule: Rule, scope: Scope): readonly string[] {
  const names = [...wantedEventTypes([rule], scope)].map((type) => eventTypes[type]!.name)
  return names.length > eventTypes.length / 2 ? ordinaryCalls : names
}

/** Every call the sensor can describe, for a recording that any rule may be tried on later. */
export function everything(): RuleNeeds {
  const all: ScopeFilter = {
    syscalls: numbersOf(ordinaryCalls),
    opens: openClasses.map(() => 'any'),
  }
  return {
    kernel: { any: all, host: all, environment: false },
    environment: new Set(),
    hostNames: [],
  }
}

function environmentOf(rules: readonly Rule[]): EnvironmentFilter {
  const wanted = new Set<string>()
  let all = false
  const look = (text: string) => {
    const match = environmentField.exec(text)
    if (match === null) return
    // digits are an index, and mean everything
    if (match[1] === undefined || /^\d+$/.test(match[1])) all = true
    else wanted.add(match[1])
  }
  for (const rule of rules) {
    for (const text of fieldTexts(rule)) look(text)
  }
  return all ? 'all' : wanted
}

function fieldTexts(rule: Rule): readonly string[] {
  const texts: string[] = []
  eachCheck(rule.condition, (check) => {
    eachOperandOf(check, (node) => {
      if (node.kind === 'field') texts.push(node.text)
    })
  })
  for (const { template } of [{ template: rule.output }, ...rule.extraFields]) {
    for (const part of template.parts) {
      if (typeof part === 'object' && part.operand.kind === 'field') texts.push(part.operand.text)
    }
  }
  return texts
}

function hostNamesOf(rules: readonly Rule[]): readonly string[] {
  const names = new Set<string>()
  for (const rule of rules) {
    eachCheck(rule.condition, ({ left, right }) => {
      if (left.kind !== 'field' || !/^fd\.[cslr]ip\.name$/.test(left.text)) return
      if (right?.kind === 'text') names.add(right.text)
      if (right?.kind === 'list') for (const { text } of right.items) names.add(text)
    })
  }
  return [...names]
}
