//! A clock that makes time repeat as exactly as instructions.
//!
//! The engine sizes its batches by what bodies cost in time, and under callgrind time depends on everything else that runs
//! on the machine. The executable's own `clock_gettime` goes before that of the C library.

use std::sync::atomic::{AtomicI64, Ordering};

use libc::{SYS_clock_gettime, c_int, clockid_t, syscall, timespec};

/// How far each look moves the clock.
const TICK: i64 = 1_000;
const SECOND: i64 = 1_000_000_000;

/// Tells the time: the second at which the process first asked, and a microsecond for each time it asked since.
///
/// It starts from the real time because the kernel's own clock decides when a sleep with a limit is over.
///
/// # Safety
///
/// `time` must point to where a `timespec` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    static START: AtomicI64 = AtomicI64::new(0);
    static TICKS: AtomicI64 = AtomicI64::new(0);
    if START.load(Ordering::Relaxed) == 0 {
        // SAFETY: the caller vouches for `time`, and the system call writes nothing else.
        unsafe { syscall(SYS_clock_gettime, clock, time) };
        // SAFETY: as above; the system call has written it.
        START.store(unsafe { (*time).tv_sec }, Ordering::Relaxed);
    }
    let now = TICKS.fetch_add(TICK, Ordering::Relaxed);
    let now = timespec {
        tv_sec: START.load(Ordering::Relaxed) + now / SECOND,
        tv_nsec: now % SECOND,
    };
    // SAFETY: the caller vouches for it.
    unsafe { time.write(now) };
    0
}
