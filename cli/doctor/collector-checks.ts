import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigResult } from '../../collector/config/read-config.ts'
import type { Config } from '../../collector/config/settings.ts'
import { type Check, collectorPath } from '../machine.ts'
import { checkAws } from './aws.ts'
import { agentUser, whyNot } from './file-access.ts'
import { checkKubernetes, type Environment } from './kubernetes.ts'
import { checkMemoryLimit } from './memory-limit.ts'
import { checkSpool } from './spool.ts'

/** What a collector with this configuration needs here. */
export function checkCollector(config: Config, environment: Environment): readonly Check[] {
  const { kinesis, spool, rules } = config
  const isShipping = kinesis.stream !== ''
  return [
    checkBuild(),
    ...rules.paths.map(checkRules),
    ...(isShipping ? checkSpool(spool.directory, spool.limit) : []),
    ...(isShipping ? checkAws(kinesis, environment) : []),
    ...checkKubernetes(config.kubernetes, environment),
    checkMemoryLimit(),
  ]
}

/** Where nobody has asked for a collector, what it would need and is not there is no mistake. */
export function asAdvice(checks: readonly Check[]): readonly Check[] {
  return checks.map((check) => (check.state === 'missing' ? { ...check, state: 'limited' } : check))
}

/** The configuration itself: one line a mistake. */
export function checkConfig(path: string, result: ConfigResult): Check {
  const name = 'configuration'
  if (result.ok) return { name, state: 'ok', found: path, advice: '' }
  const advice = 'lanner agent --settings shows every setting'
  return { name, state: 'missing', found: result.mistakes.join('; '), advice }
}

function checkBuild(): Check {
  const isBuilt = existsSync(join(collectorPath, 'main.mjs'))
  return {
    name: 'collector',
    state: isBuilt ? 'ok' : 'missing',
    found: isBuilt ? 'built' : `${collectorPath} is not built`,
    advice: isBuilt ? '' : 'bash cli/bootstrap.sh (it says what it needs)',
  }
}

function checkRules(path: string): Check {
  const reasons = [
    whyNot(path, ['read']),
    ...filesBelow(path).map((file) => whyNot(file, ['read'])),
  ]
  const reason = reasons.find((each) => each !== '')
  const name = 'rules'
  return reason === undefined
    ? { name, state: 'ok', found: `${path}, readable for user ${agentUser.uid}`, advice: '' }
    : {
        ...{ name, state: 'missing', found: reason },
        advice: 'rules are read by the agent, without privilege: make them readable for all',
      }
}

function filesBelow(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(path, name))
}
