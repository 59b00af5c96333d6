//! Keeps a thread on one core, where the system can do that.

/// Moves the calling thread to the `which`th of the cores that it may run on, and keeps it there.
#[cfg(target_os = "linux")]
pub fn to_core(which: usize) {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of cores is plain bits, and all zeros is the empty set.
    let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `allowed` is a valid place for `size` bytes; 0 is the calling thread.
    if unsafe { libc::sched_getaffinity(0, size, &raw mut allowed) } != 0 {
        return;
    }
    // SAFETY: the number is within the set.
    let may_run = |core: &usize| unsafe { libc::CPU_ISSET(*core, &allowed) };
    let Some(core) = (0..libc::CPU_SETSIZE as usize).filter(may_run).nth(which) else {
        return;
    };
    // SAFETY: as above.
    let mut only: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number is within the set.
    unsafe { libc::CPU_SET(core, &mut only) };
    // SAFETY: `only` is a valid set of `size` bytes; 0 is the calling thread. Where it fails the thread stays free.
    unsafe { libc::sched_setaffinity(0, size, &raw const only) };
}

/// Does nothing: figures are noisier where threads cannot be kept on a core.
#[cfg(not(target_os = "linux"))]
pub fn to_core(_which: usize) {}
