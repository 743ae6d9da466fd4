/** What is wrong with the key of a label or annotation, as Kubernetes judges it. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf('/')
  const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)]
  const isName = /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(name)
  const isPrefix =
    prefix === undefined ||
    (prefix.length <= 253 && prefix.split('.').every((part) => isDnsLabel(part)))
  return isName && isPrefix ? undefined : `"${key}" is no key that Kubernetes takes`
}

/** What is wrong with the value of a label. */
export function labelValueProblem(value: string): string | undefined {
  return value === '' || /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(value)
    ? undefined
    : `"${value}" is no value of a label that Kubernetes takes`
}

export function isDnsLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
}

/** An IPv4 or IPv6 address with the length of its prefix. */
export function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([0-9a-fA-F.:]{2,45})\/(\d{1,3})$/.exec(text) ?? []
  if (address === '') return false
  if (address.includes(':')) return isIpv6(address) && Number(bits) <= 128
  const parts = address.split('.')
  return (
    parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256) &&
    Number(bits) <= 32
  )
}

function isIpv6(address: string): boolean {
  const halves = address.split('::')
  if (halves.length > 2 || address.includes('.')) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}
