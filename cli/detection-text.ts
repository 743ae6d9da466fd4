import { bindOutput, priorityNames, type Rule } from '#engine'
import { type Process, type SyscallEvent, syscallSource } from '#events'
import { printable } from './printable.ts'

/** SGR colours by priority, Emergency first. */
export const priorityColors = ['1;41', '1;41', '1;31', '31', '33', '36', '2', '2'] as const
const MAX_ANCESTORS = 6

/** Paints text for a terminal, or leaves it alone. */
export type Paint = (text: string, color: string) => string

export function painter(color: boolean): Paint {
  return (text, code) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
}

/** `sshd(812) > bash(900) > cat(1022)`: how the process came about, oldest first. */
export function ancestry(process: Process): string {
  const names: string[] = []
  let at: Process | undefined = process
  for (; at !== undefined && names.length < MAX_ANCESTORS; at = at.parent) {
    names.push(`${printable(at.comm || '?')}(${at.pid})`)
  }
  if (at !== undefined) names.push('…')
  return names.reverse().join(' > ')
}

/** Local time of day, with milliseconds. */
export function localTime(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n))
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

const bound = new WeakMap<Rule, ReturnType<typeof bindOutput<SyscallEvent>>>()

function outputOf(rule: Rule, event: SyscallEvent): string {
  let output = bound.get(rule)
  if (output === undefined) {
    output = bindOutput(rule.output, syscallSource)
    bound.set(rule, output)
  }
  return output.text(event)
}

/** Leaves out what says nothing: fields that are not known, and that the host is the host. */
function terse(output: string): string {
  return output
    .replace(/ [\w.[\]]+=<NA>/g, '')
    .replace(' container_id=host container_name=host', '')
}

/** A detection for people: when, how bad, what, where; how it came about; the rule's own words. */
export function detectionText(rule: Rule, event: SyscallEvent, paint: Paint): string {
  const { container } = event.process
  const where = container === undefined ? 'host' : `container ${container.name ?? container.id}`
  const priority = priorityNames[rule.priority]!
  const via = (event.flags & 1) !== 0 ? ' (io_uring)' : ''
  const head = [
    paint(localTime(event.time), '2'),
    paint(priority.padEnd(9), priorityColors[rule.priority] ?? '0'),
    paint(printable(rule.name), '1'),
    paint(`${where}${via}`, '2'),
  ].join('  ')
  const indent = ' '.repeat(14)
  return `${head}\n${indent}${ancestry(event.process)}\n${indent}${paint(printable(terse(outputOf(rule, event))), '2')}\n`
}
