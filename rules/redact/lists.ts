import { isSecretName } from './names.ts'
import { marker, type TextRedactor } from './text.ts'

interface PasswordFlag {
  readonly flag: string
  /** The value may be the next argument, too. */
  readonly follows: boolean
}

/** Flags of one letter whose value is a password, by program. */
const passwordFlags = new Map<string, PasswordFlag>([
  // after a bare -p comes the name of the database
  ['mysql', { flag: '-p', follows: false }],
  ['mysqldump', { flag: '-p', follows: false }],
  ['mysqladmin', { flag: '-p', follows: false }],
  ['mysqlimport', { flag: '-p', follows: false }],
  ['mariadb', { flag: '-p', follows: false }],
  ['mariadb-dump', { flag: '-p', follows: false }],
  ['sshpass', { flag: '-p', follows: true }],
  ['redis-cli', { flag: '-a', follows: true }],
  ['sqlcmd', { flag: '-P', follows: true }],
  ['ldapsearch', { flag: '-w', follows: true }],
  ['ldapmodify', { flag: '-w', follows: true }],
])

const flagOnly = /^--?([A-Za-z][\w.-]*)$/
const flagWithValue = /^(--?([A-Za-z][\w.-]*)=)[\s\S]/
const assignment = /^(([A-Za-z_][\w.-]*)=)[\s\S]/
/** As `aws configure set NAME VALUE` has them; elsewhere it may be what somebody looks for. */
const awsNames = /^aws_(?:secret_access_key|session_token)$/i
const bearer = /^(?:authorization:\s*)?bearer$/i

/**
 * The arguments of a program (its comm), without its name; the same array when there is no secret in
 * it.
 */
export function redactArguments(
  program: string,
  args: readonly string[],
  redactor: TextRedactor,
): readonly string[] {
  const own = passwordFlags.get(program)
  return mapped(args, (arg, i) => {
    const before = i === 0 ? '' : args[i - 1]!
    if (own !== undefined) {
      if (own.follows && before === own.flag) return marker
      if (arg.startsWith(own.flag) && arg.length > own.flag.length) return own.flag + marker
    }
    if (program === 'curl' && /^(?:-[uU]|--user|--proxy-user)$/.test(before)) {
      const colon = arg.indexOf(':')
      return colon < 0 ? arg : arg.slice(0, colon + 1) + marker
    }
    if (arg !== '' && announces(before, program) && !/^-./.test(arg)) return marker
    const flag = flagWithValue.exec(arg)
    if (flag !== null && isSecretName(flag[2]!)) return flag[1]! + marker
    // with a blank it may as well be a script that begins with an assignment
    const variable = /\s/.test(arg) ? null : assignment.exec(arg)
    if (variable !== null && isSecretName(variable[2]!)) return variable[1]! + marker
    return redactor.text(arg)
  })
}

/** Whether the argument after this one is a secret. */
function announces(arg: string, program: string): boolean {
  const flag = flagOnly.exec(arg)
  if (flag !== null) return isSecretName(flag[1]!)
  return bearer.test(arg) || (program === 'aws' && awsNames.test(arg))
}

/** Variables as NAME=value; the same array when there is no secret in it. */
export function redactEnvironment(
  env: readonly string[],
  redactor: TextRedactor,
): readonly string[] {
  return mapped(env, (entry) => {
    const variable = assignment.exec(entry)
    if (variable !== null && isSecretName(variable[2]!)) return variable[1]! + marker
    return redactor.text(entry)
  })
}

/** The same array when nothing in it changes. */
function mapped(
  texts: readonly string[],
  map: (text: string, index: number) => string,
): readonly string[] {
  let changed: string[] | undefined
  for (const [i, text] of texts.entries()) {
    const after = map(text, i)
    if (after === text) continue
    changed ??= [...texts]
    changed[i] = after
  }
  return changed ?? texts
}
