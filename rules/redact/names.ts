/** Last parts of names that are about a secret and hold none. */
const harmlessEnds = new Set(
  (
    'file path dir directory url uri name id type length len size limit count timeout ttl expiry ' +
    'expires policy algorithm alg host port user username enabled required prompt stdin'
  ).split(' '),
)

const secretPart =
  /(?:password|passwd|passphrase|secret|token|apikey|credentials?)\d*$|^(?:(?:ssh|user|store|key)?pass|passin|passout|creds?|pwd)\d*$/
/** What a key must be for, where it is not the last part of a name. */
const keyOf = /^(?:api|access|secret|private|auth|account|encryption|signing|master|shared|ssh)$/

/**
 * Whether a name (of a flag, a variable, a header, a member) says that its value is a password, a
 * token, a key or another credential: DB_PASSWORD, apiKey, --client-secret; not PWD, KEYMAP,
 * TOKEN_FILE, publicKey.
 */
export function isSecretName(name: string): boolean {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_.-]+/)
    .filter((part) => part !== '')
  const last = parts.findLast((part) => !/^\d+$/.test(part))
  if (last === undefined || harmlessEnds.has(last) || parts.includes('public')) return false
  return parts.some((part, i) => {
    if (part === 'pwd') return parts.length > 1 && parts[0] !== 'old'
    if (/^key\d*$/.test(part)) return part === last || keyOf.test(parts[i - 1] ?? '')
    return secretPart.test(part)
  })
}
