import { describe, expect, it } from 'vitest'
import { containerOf } from './container-id.ts'

const id = '0123456789abcdef'.repeat(4)
const other = 'fedcba9876543210'.repeat(4)
const uid = '1a2b3c4d-0000-4111-8222-333344445555'
const uidInUnit = uid.replaceAll('-', '_')

describe('the layout of a runtime', () => {
  it.each([
    ['podman', `/machine.slice/libpod-${id}.scope`],
    ['podman', `/machine.slice/libpod-${id}.scope/container`],
    ['podman', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`],
    ['podman', `/libpod_parent/libpod-${id}`],
    ['podman', `/libpod-payload-${id}`],
    ['docker', `/docker/${id}`],
    ['docker', `/system.slice/docker-${id}.scope`],
    ['cri-o', `/pods/crio-${id}.scope`],
    ['cri-o', `/pods/crio-${id}`],
    ['containerd', `/system.slice/nerdctl-${id}.scope`],
    ['containerd', `/system.slice/cri-containerd-${id}.scope`],
  ])('of %s is seen in %s', (type, path) => {
    expect(containerOf([path])).toEqual({ id: id.slice(0, 12), fullId: id, type })
  })

  it.each([
    ['lxc', '/lxc/web', 'web'],
    ['lxc', '/lxc.payload/web', 'web'],
    ['lxc', '/lxc.payload.web', 'web'],
    ['lxc', '/lxc/web/init.scope', 'web'],
    ['libvirt-lxc', '/machine/web.libvirt-lxc', 'web'],
    ['libvirt-lxc', '/libvirt/lxc/web', 'web'],
    ['bpm', '/system.slice/bpm-router.scope', 'router'],
  ])('of %s is seen in %s, with the name as the whole id', (type, path, name) => {
    expect(containerOf([path])).toEqual({ id: name, fullId: name, type })
  })

  it('of libvirt under systemd is seen behind its escapes', () => {
    const found = containerOf(['/machine.slice/machine-lxc\\x2d1293\\x2dweb.scope'])
    expect(found).toMatchObject({ type: 'libvirt-lxc', id: '1293\\x2dweb' })
  })

  it('may come with the name of a hierarchy', () => {
    expect(containerOf(['cpu=/', `memory=/docker/${id}`])?.fullId).toBe(id)
  })
})

describe('a Kubernetes pod', () => {
  it.each([
    [
      'containerd',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uidInUnit}.slice/cri-containerd-${id}.scope`,
    ],
    ['cri-o', `/kubepods.slice/kubepods-pod${uidInUnit}.slice/crio-${id}.scope`],
    ['docker', `/kubepods.slice/kubepods-pod${uidInUnit}.slice/docker-${id}.scope`],
    ['cri', `/kubepods/besteffort/pod${uid}/${id}`],
    ['cri', `/kubepods/pod${uid}/${id}`],
    [
      'containerd',
      `/system.slice/containerd.service/kubepods-burstable-pod${uidInUnit}.slice:cri-containerd:${id}`,
    ],
    [
      'containerd',
      `/docker/${other}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${uidInUnit}.slice/cri-containerd-${id}.scope`,
    ],
  ])('under %s has a uid: %s', (type, path) => {
    expect(containerOf([path])).toEqual({
      id: id.slice(0, 12),
      fullId: id,
      type,
      podUid: uid,
    })
  })

  it('of the node itself has a hash for a uid', () => {
    const hash = '0123456789abcdef0123456789abcdef'
    expect(containerOf([`/kubepods/burstable/pod${hash}/${id}`])?.podUid).toBe(hash)
  })

  it('without a container (its sandbox being made) is not one', () => {
    expect(containerOf([`/kubepods/burstable/pod${uid}`])).toBeUndefined()
  })

  it('cannot be left by making cgroups inside', () => {
    const own = `/kubepods/pod${uid}/${id}`
    for (const path of [
      `${own}/init.scope`,
      `${own}/docker/${other}`,
      `${own}/kubepods/${other}`,
    ]) {
      expect(containerOf([path])?.fullId).toBe(id)
    }
  })
})

describe('nesting outside of Kubernetes', () => {
  it('does not hide a container', () => {
    expect(containerOf([`/docker/${id}/system.slice/x.service`])?.fullId).toBe(id)
  })

  it('gives the inner container', () => {
    expect(containerOf([`/docker/${id}/docker/${other}`])?.fullId).toBe(other)
  })
})

describe('a container of containerd alone', () => {
  it.each(['/default/redis', '/k8s.io/my.task-1', '/buildkit/8vvyl4lbpzo2rvb3ah3d3d3mp'])(
    'is one in a namespace that is in use: %s',
    (path) => {
      expect(containerOf([path])).toMatchObject({ type: 'containerd', fullId: path.split('/')[2] })
    },
  )

  it.each([
    '/process_api/f7f10234a9e83a9f9d252515aa17c484',
    '/user/1000',
    '/default/web.service',
    '/default/a/b',
    '/default/.hidden',
    `/default/${'x'.repeat(65)}`,
  ])('is not every cgroup two levels deep: %s', (path) => {
    expect(containerOf([path])).toBeUndefined()
  })
})

describe('the host', () => {
  it.each([
    '/',
    '',
    '/init.scope',
    '/system.slice/sshd.service',
    '/user.slice/user-0.slice/session-1.scope',
    `/machine.slice/libpod-conmon-${id}.scope`,
    `/kubepods.slice/crio-conmon-${id}.scope`,
    `/docker/${id.slice(0, 63)}`,
    `/docker/${id}0`,
    `/docker/${id.toUpperCase()}`,
    '/lxc.monitor/web',
    '/lxc',
  ])('is where %s belongs', (path) => {
    expect(containerOf([path])).toBeUndefined()
  })

  it('is where a process without cgroups is', () => {
    expect(containerOf([])).toBeUndefined()
  })
})
