import type { Link, Where } from './notice.ts'
import { clip, visible } from './plain-text.ts'

/** Where it is, in words: `in pod payments/api-7f, on node n1 of cluster prod`. */
export function placeOf({ namespace, pod, container, node, cluster }: Where): string {
  const inside =
    pod !== undefined
      ? `in pod ${namespace}/${pod}`
      : container !== undefined
        ? `in container ${container}`
        : node === undefined
          ? 'on several nodes'
          : 'on the host'
  const at = node === undefined ? '' : `, node ${node}`
  const of = cluster === '' ? '' : `, cluster ${cluster}`
  return clip(`${inside}${at}${of}`, 400)
}

/** Values without those that are not known, each on one line. */
export function cleaned(where: { readonly [key in keyof Where]: Where[key] | undefined }): Where {
  const labels = Object.entries(where.labels ?? {}).map(([name, value]) => [
    clip(visible(name), 320),
    clip(visible(value), 64),
  ])
  const texts = Object.entries(where).flatMap(([key, value]) =>
    typeof value === 'string' && value !== '' ? [[key, clip(visible(value), 256)]] : [],
  )
  return {
    cluster: '',
    ...Object.fromEntries(texts),
    labels: Object.fromEntries(labels.slice(0, 20)),
  } as Where
}

/** Nothing known of where it is. */
export const nowhere = {
  ...{ account: undefined, region: undefined, node: undefined, namespace: undefined },
  ...{ workload: undefined, pod: undefined, container: undefined, image: undefined, labels: {} },
}

/** URLs of the templates whose values are all known. */
export function linksOf(
  templates: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string | undefined>>,
): Link[] {
  return Object.entries(templates).flatMap(([title, template]) => {
    let isWhole = true
    const url = template.replace(/\{([\w.-]+)\}/g, (_, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      if (value === undefined || value === '') isWhole = false
      return encodeURIComponent((value ?? '').toWellFormed())
    })
    return isWhole && url.length <= 2000 ? [{ title: clip(title, 60), url }] : []
  })
}
