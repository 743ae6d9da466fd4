import { EventFlag, type Process, type SyscallEvent } from './event.ts'

/** A process in how another came about. */
export interface LineageStep {
  readonly pid: number
  readonly name: string
  readonly exe: string
}

const mostSteps = 32

/** How a process came about, itself first, at most 32 steps. */
export function lineageOf(process: Process): readonly LineageStep[] {
  const found: LineageStep[] = []
  for (let at: Process | undefined = process; at !== undefined; at = at.parent) {
    if (found.length === mostSteps) break
    found.push({ pid: at.pid, name: at.comm.toWellFormed(), exe: at.exePath.toWellFormed() })
  }
  return found
}

/** How a call was made, when not by an ordinary system call. */
export function viaOf({ flags }: Pick<SyscallEvent, 'flags'>): 'io_uring' | 'compat' | undefined {
  if (flags & EventFlag.ioUring) return 'io_uring'
  return flags & EventFlag.compat ? 'compat' : undefined
}
