import type { ContainerFacts } from '../agent/containers.ts'

/** The parts of an image reference: `registry:5000/team/app:1.2@sha256:…`. */
interface Reference {
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

/**
 * Takes a reference apart as Falco does: a colon before the last slash belongs to the registry's
 * port, and a reference by digest has no tag, even when it is written with one.
 */
function parseReference(reference: string): Reference {
  const [name = '', digest] = reference.split('@', 2)
  const colon = name.lastIndexOf(':')
  const hasTag = colon > name.lastIndexOf('/')
  return {
    repository: hasTag ? name.slice(0, colon) : name,
    tag: hasTag && digest === undefined ? name.slice(colon + 1) : undefined,
    digest,
  }
}

/**
 * What is known of an image from the three ways in which a pod names it: `spec.image` as its author
 * wrote it, `status.image` as the runtime resolved it (at times only the image's own id), and
 * `status.imageID`, which is `repository@digest`, or the image's own id where it came from no registry.
 */
export function imageFacts(
  specImage: string | undefined,
  statusImage: string | undefined,
  statusImageId: string | undefined,
): ContainerFacts {
  const isId = (value: string | undefined) => value?.startsWith('sha256:') === true
  const named = isId(statusImage) ? specImage : (statusImage ?? specImage)
  if (named === undefined) return {}
  const { repository, tag, digest } = parseReference(named)
  const pulled = pulledFrom(statusImageId)
  const imageDigest = pulled?.digest ?? (isId(statusImageId) ? statusImageId : digest)
  const imageRepository = pulled?.repository ?? repository
  const ownId = [statusImageId, statusImage].find(isId)?.slice('sha256:'.length)
  return {
    image: tag === undefined ? withDigest(imageRepository, digest) : `${imageRepository}:${tag}`,
    imageRepository,
    ...(tag !== undefined && { imageTag: tag }),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(ownId !== undefined && { imageId: ownId }),
  }
}

function withDigest(repository: string, digest: string | undefined): string {
  return digest === undefined ? repository : `${repository}@${digest}`
}

/** Repository and digest of `docker.io/library/nginx@sha256:…`, also with a scheme before it. */
function pulledFrom(imageId: string | undefined) {
  const match = /^(?:[a-z-]+:\/\/)?([^@]+)@(sha\d+:[0-9a-f]+)$/.exec(imageId ?? '')
  return match === null ? undefined : { repository: match[1]!, digest: match[2]! }
}
