//! The inputs of `map`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::SeqCst};

use crate::job::{Job, blast};
use crate::pools::inside;
use crate::program::{Input, SourceTrap, Task, Trap};
use crate::run::nested;
use crate::world::{Counted, Site, Value};

/// What is known of one input.
#[derive(Default)]
pub(crate) struct Feed {
    segment: Option<u64>,
    /// Every end of its tasks tells which one it is.
    exact: bool,
    pub(crate) unfinished: AtomicIsize,
    pub(crate) unread: AtomicIsize,
    pub(crate) pulled: AtomicUsize,
    pub(crate) panicked: AtomicBool,
    pulling: AtomicBool,
}

/// An input of `map`.
pub(crate) struct Source {
    pub(crate) feed: Arc<Feed>,
    plan: Arc<Input>,
    tasks: Vec<Arc<Task>>,
    over: bool,
    alive: Counted,
}

impl Source {
    pub(crate) fn new(site: &Arc<Site>, plan: &Input, segment: Option<u64>) -> Self {
        let exact = |task: &Task| !matches!(task.trap, Trap::Keep | Trap::Describe | Trap::Clone);
        Self {
            feed: Arc::new(Feed {
                segment,
                exact: plan.tasks.iter().all(exact),
                ..Feed::default()
            }),
            plan: Arc::new(plan.clone()),
            tasks: plan.tasks.iter().cloned().map(Arc::new).collect(),
            over: false,
            alive: Counted::new(site, Value::Source, matches!(plan.trap, SourceTrap::Drop)),
        }
    }

    fn check_bound(&self) {
        let (site, feed) = (&self.alive.site, &self.feed);
        let unfinished = feed.unfinished.load(SeqCst);
        let unread = feed.unread.load(SeqCst) - site.reading.load(SeqCst) as isize;
        let Some(capacity) = site.options.capacity else {
            return;
        };
        let bound = (site.workers + capacity) as isize;
        // What has timed out may still run when its end has been read.
        let times_out = site.options.limits.timeout.is_some();
        site.check(unfinished <= bound || times_out, || {
            format!("{unfinished} items are pulled and not finished, more than {bound}")
        });
        site.check(
            unread <= bound || !feed.exact || site.discards.load(SeqCst),
            || format!("{unread} items are pulled and not read, more than {bound}"),
        );
    }
}

impl Iterator for Source {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        let (site, feed) = (self.alive.site.clone(), self.feed.clone());
        site.check(!feed.pulling.swap(true, SeqCst), || {
            "an input is pulled twice at once".into()
        });
        site.check(!self.over, || "an input is pulled after its end".into());
        // A stream does not wait for its input.
        let late = site.joined.load(SeqCst) && site.is_scope;
        site.check(!late, || "an input is pulled after the join".into());
        let position = feed.pulled.load(SeqCst);
        let trap = match &self.plan.trap {
            SourceTrap::Wait(at) if *at == position => {
                site.gate.wait();
                None
            }
            SourceTrap::Panic(at) if *at == position => Some(false),
            SourceTrap::PanicTwice(at) if *at == position => Some(true),
            SourceTrap::Nest(at, section) if *at == position => {
                inside(|| nested(&site.world, section));
                None
            }
            _ => None,
        };
        feed.pulling.store(false, SeqCst);
        if let Some(explodes) = trap {
            self.over = true;
            feed.panicked.store(true, SeqCst);
            site.source_panics.fetch_add(1, SeqCst);
            blast(&site, explodes);
        }
        if self.plan.count.is_some_and(|count| position >= count) {
            self.over = true;
            return None;
        }
        let plan = &self.tasks[position % self.tasks.len()];
        feed.pulled.fetch_add(1, SeqCst);
        feed.unread.fetch_add(1, SeqCst);
        let place = feed.segment.map(|segment| (segment, position));
        let job = site.make_job(plan, place, site.options.limits, Some(feed));
        self.check_bound();
        Some(job)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.plan.count {
            Some(count) if self.plan.hint => {
                let left = count - self.feed.pulled.load(SeqCst).min(count);
                (left, Some(left))
            }
            _ => (0, None),
        }
    }
}
