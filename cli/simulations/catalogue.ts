/** A harmless piece of behaviour and the rule of the library that must notice it. */
export interface Simulation {
  readonly name: string
  /** Rule that fires, by its name. */
  readonly rule: string
  readonly does: string
  /** Steps for `lanner-actor`, see `actor.c`. */
  readonly steps: readonly string[]
}

/** One simulation a rule; the name is that of the rule's file in `rules/library`. */
export const simulations: readonly Simulation[] = [
  {
    name: 'capability-escalation',
    rule: 'Ordinary user with strong capabilities',
    does: 'runs true as nobody, with CAP_SYS_ADMIN handed down',
    steps: ['child', '--', 'capability', '21', '--', 'exec', 'true'],
  },
  {
    name: 'container-shell',
    rule: 'Shell in container',
    does: 'runs a shell below another program in a container',
    steps: ['container', '--', 'child', '--', 'exec', 'sh', '-c', 'true'],
  },
  {
    name: 'crypto-miner',
    rule: 'Crypto miner',
    does: 'runs a program called xmrig that does nothing',
    steps: ['named', 'xmrig', '--', 'wait', '0'],
  },
  {
    name: 'drop-and-execute',
    rule: 'Dropped program executed',
    does: 'copies a program into a container and runs it',
    steps: ['container', '--', 'drop', '/opt/lanner-dropped'],
  },
  {
    name: 'fileless-execution',
    rule: 'Fileless execution',
    does: 'runs true from memory',
    steps: ['memfd', '/bin/true'],
  },
  {
    name: 'kernel-module',
    rule: 'Kernel module loaded',
    does: 'asks the kernel to load 64 zero bytes, which it refuses',
    steps: ['module'],
  },
  {
    name: 'log-clearing',
    rule: 'Logs cleared',
    does: 'empties a log file made for it',
    steps: ['open', '/var/log/lanner-simulation.log', 't'],
  },
  {
    name: 'ptrace-injection',
    rule: 'Process injection by ptrace',
    does: 'attaches to its own child and lets go',
    steps: ['ptrace', 'attach'],
  },
  {
    name: 'release-agent-escape',
    rule: 'Container escape by release_agent',
    does: 'opens a file of that name for writing in a container',
    steps: ['container', '--', 'open', '/tmp/release_agent', 'w'],
  },
  {
    name: 'reverse-shell',
    rule: 'Standard streams redirected to a network connection',
    does: 'makes its own input a connection to itself',
    steps: ['redirect', '0'],
  },
  {
    name: 'sensitive-file-read',
    rule: 'Sensitive file read',
    does: 'opens /etc/shadow and closes it again',
    steps: ['open', '/etc/shadow', 'r'],
  },
  {
    name: 'setuid-bit',
    rule: 'Setuid bit set on a program',
    does: 'makes an empty file setuid and removes it',
    steps: ['chmod', '/tmp/lanner-setuid', '4700'],
  },
  {
    name: 'unexpected-outbound',
    rule: 'Unexpected outbound connection',
    does: 'connects to 203.0.113.7, which is itself, in a container without other network',
    steps: [
      'container',
      '--',
      'network',
      '203.0.113.7',
      '--',
      'named',
      'curl',
      '--',
      'connect',
      '203.0.113.7',
      '443',
    ],
  },
]
