/** Inode number of the initial user namespace, the same on every Linux. */
const initialUserNamespace = 0xefff_fffd

/** What is known of the first process of a container. */
export interface PrivilegeFacts {
  readonly capBounding: bigint
  /** 0 off, 1 strict, 2 filter. */
  readonly seccompMode: number
  readonly userNamespace: number
  /** Devices of the host in the container's /dev; `undefined` when that could not be read. */
  readonly hostDevices: number | undefined
}

/**
 * Whether a container runs privileged. No runtime is asked: it is so when, as `--privileged` does it,
 *
 * - its bounding set has every capability of the host's (a set cannot be regained once cut),
 * - no seccomp filter is on,
 * - it is in the host's user namespace, where its capabilities count, and
 * - it sees devices of the host.
 *
 * It differs from the runtime's flag where all of this was given piece by piece (which is as good as
 * privileged, and is said to be), where a privileged container is rootless or put on a seccomp filter of
 * its own (not said to be), and where devices cannot be read: then the other three decide, and a
 * container with all capabilities, unconfined, counts as privileged.
 *
 * @param hostCapabilities bounding set of the host's first process
 */
export function isPrivileged(facts: PrivilegeFacts, hostCapabilities: bigint): boolean {
  if (hostCapabilities === 0n || (facts.capBounding & hostCapabilities) !== hostCapabilities) {
    return false
  }
  if (facts.seccompMode !== 0 || facts.userNamespace !== initialUserNamespace) return false
  return facts.hostDevices === undefined || facts.hostDevices > 0
}
