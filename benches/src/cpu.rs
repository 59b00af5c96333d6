//! How much processor time this process has used.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Returns the processor time that all threads of this process have used so far.
#[must_use]
pub fn used() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the answer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(
        status, 0,
        "every Unix has a clock of the process's own time"
    );
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Sleeps until this process's other threads use no processor time, at most a fifth of a second.
///
/// Some pools keep their threads spinning for a while after a loop, which is their good right, but must not take a core
/// from whoever is measured next.
pub fn settle() {
    const LOOK: Duration = Duration::from_millis(2);
    let start = Instant::now();
    let mut before = used();
    while start.elapsed() < Duration::from_millis(200) {
        sleep(LOOK);
        let now = used();
        if now - before < LOOK / 20 {
            break;
        }
        before = now;
    }
}

/// What others took of the processors' time while something was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Disturbance {
    /// The share of other processes, from 0 to 1.
    pub others: f64,
    /// The share that the hypervisor withheld, from 0 to 1.
    pub stolen: f64,
}

/// Times in the kernel's ticks.
#[derive(Debug, Clone, Copy, Default)]
struct Ticks {
    all: f64,
    busy: f64,
    stolen: f64,
    /// Of this process and its children.
    own: f64,
}

/// Watches how much of the machine others use.
#[derive(Debug, Default)]
pub struct Watch(Ticks);

impl Watch {
    /// Runs something and watches meanwhile.
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Ticks::now();
        let result = work();
        if let (Some(before), Some(after)) = (before, Ticks::now()) {
            self.0.all += after.all - before.all;
            self.0.busy += after.busy - before.busy;
            self.0.stolen += after.stolen - before.stolen;
            self.0.own += after.own - before.own;
        }
        result
    }

    /// Returns what others used in all; nothing where the system does not say.
    #[must_use]
    pub fn disturbance(&self) -> Disturbance {
        let all = self.0.all.max(1.0);
        Disturbance {
            others: ((self.0.busy - self.0.own) / all).max(0.0),
            stolen: self.0.stolen / all,
        }
    }
}

impl Ticks {
    fn now() -> Option<Self> {
        let machine = fs::read_to_string("/proc/stat").ok()?;
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        // user, nice, system, idle, iowait, irq, softirq, steal
        let columns = numbers(machine.lines().next()?.strip_prefix("cpu")?);
        let [user, nice, system, idle, iowait, irq, softirq, stolen] = *columns.first_chunk()?;
        let busy = user + nice + system + irq + softirq;
        // Behind the name in brackets and the state: utime, stime, cutime and cstime are numbers 11 to 14.
        let fields = numbers(own.rsplit_once(')')?.1.trim_start().split_once(' ')?.1);
        Some(Self {
            all: busy + idle + iowait + stolen,
            busy,
            stolen,
            own: fields.get(10..14)?.iter().sum(),
        })
    }
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn ones_own_work_is_counted_as_such() {
        let mut watch = Watch::default();
        watch.during(|| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(200) {}
        });
        assert!(watch.0.own >= 1.0, "{watch:?} after 0.2 s of work");
    }
}
