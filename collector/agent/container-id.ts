/** What a cgroup path tells of the container a process is in. */
export interface ContainerIdentity {
  /** As Falco shows it: 12 characters of an id that a runtime made, all of one a person chose. */
  readonly id: string
  readonly fullId: string
  /** docker, podman, cri-o, containerd, cri (Kubernetes, runtime not visible), lxc, libvirt-lxc, bpm. */
  readonly type: string
  readonly podUid?: string
}

const shownLength = 12
const hexId = '[0-9a-f]{64}'

/**
 * Path components that name a container, in Falco's order of engines. One that runs a process of the
 * host for a container (`crio-conmon-ID`, `libpod-conmon-ID`) does not match.
 */
const layouts: readonly (readonly [type: string, component: RegExp])[] = [
  ['podman', new RegExp(`^libpod-(?:payload-)?(${hexId})(?:\\.scope)?$`)],
  ['docker', new RegExp(`^docker-(${hexId})\\.scope$`)],
  ['cri-o', new RegExp(`^crio-(${hexId})(?:\\.scope)?$`)],
  ['containerd', new RegExp(`^(?:cri-containerd|nerdctl)-(${hexId})\\.scope$`)],
  ['containerd', new RegExp(`:cri-containerd:(${hexId})$`)],
  ['bare', new RegExp(`^(${hexId})$`)],
  ['lxc', /^lxc\.payload\.(.+)$/],
  ['libvirt-lxc', /^(.+)\.libvirt-lxc$/],
  ['libvirt-lxc', /-lxc\\x2d?(.+)\.scope$/],
  ['bpm', /^bpm-(.+)\.scope$/],
]

/** Directories whose entries are containers. */
const parents: readonly (readonly [type: string, directory: string])[] = [
  ['lxc', 'lxc'],
  ['lxc', 'lxc.payload'],
]

/**
 * Namespaces of containerd whose containers lie at `/namespace/id`, with ids that people may choose.
 * Falco takes any two components for this, and so takes `/process_api/<32 hex>`, `/user/1000` and
 * every other cgroup two levels deep for a container; here the namespace must be one that is in use:
 * containerd's own default, Kubernetes', Docker's and BuildKit's.
 */
const containerdNamespaces = new Set(['k8s.io', 'default', 'moby', 'buildkit'])
const containerdId = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
const systemdUnit = /\.(?:service|slice|scope)$/

/** Uid of a pod in the name of its cgroup: with dashes, or underscores under systemd; or a hash. */
const podCgroup =
  /(?:^|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice(?:$|:)|$)/

/**
 * Finds the container in the cgroup paths of a process (`/a/b`, or `subsystem=/a/b`): the first path
 * that names one. `undefined` on the host.
 *
 * A process may also lie in a cgroup below that of its container. Inside a pod's cgroup the outermost
 * match counts, so that nothing in a container can change its identity by making cgroups; elsewhere
 * the innermost does, which is a container in a container.
 */
export function containerOf(cgroups: readonly string[]): ContainerIdentity | undefined {
  for (const cgroup of cgroups) {
    const found = containerInPath(cgroup.slice(cgroup.indexOf('/')))
    if (found !== undefined) return found
  }
  return undefined
}

function containerInPath(path: string): ContainerIdentity | undefined {
  const components = path.split('/').filter((component) => component !== '')
  const kubepods = components.findIndex((component) => component.includes('kubepods'))
  if (kubepods >= 0) return containerInPod(components.slice(kubepods))
  for (let at = components.length - 1; at >= 0; at--) {
    const found = libvirtLegacy(components, at) ?? match(components[at]!, components[at - 1])
    if (found !== undefined) return identity(...found)
  }
  return containerdNative(components)
}

function containerInPod(components: readonly string[]): ContainerIdentity | undefined {
  let podUid: string | undefined
  for (const [at, component] of components.entries()) {
    podUid ??= podCgroup.exec(component)?.[1]?.replaceAll('_', '-')
    const found = match(component, components[at - 1])
    if (found === undefined) continue
    // Docker made such cgroups for Kubernetes once; no runtime in use can be told from the path.
    const [type, id] = found
    const own = identity(type === 'docker' && component === id ? 'cri' : type, id)
    return podUid === undefined ? own : { ...own, podUid }
  }
  return undefined
}

type Found = readonly [type: string, id: string]

function match(component: string, directory: string | undefined): Found | undefined {
  for (const [type, pattern] of layouts) {
    const id = pattern.exec(component)?.[1]
    if (id !== undefined) return [type === 'bare' ? 'docker' : type, id]
  }
  const parent = parents.find(([, name]) => name === directory)
  return parent === undefined ? undefined : [parent[0], component]
}

/** `/libvirt/lxc/NAME`. */
function libvirtLegacy(components: readonly string[], at: number): Found | undefined {
  return components[at - 1] === 'lxc' && components[at - 2] === 'libvirt'
    ? ['libvirt-lxc', components[at]!]
    : undefined
}

function containerdNative(components: readonly string[]): ContainerIdentity | undefined {
  const [namespace, id] = components
  if (components.length !== 2 || !containerdNamespaces.has(namespace!)) return undefined
  if (!containerdId.test(id!) || systemdUnit.test(id!)) return undefined
  return identity('containerd', id!)
}

function identity(type: string, fullId: string): ContainerIdentity {
  const chosen = /^(?:lxc|libvirt-lxc|bpm)$/.test(type)
  return { id: chosen ? fullId : fullId.slice(0, shownLength), fullId, type }
}
