//! Results as iterators of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::yield_now;

use futureproof_core::{ErrorPolicy, TaskError, TaskPool};

use crate::job::configured;
use crate::program::{Kind, Section, StreamEnd};
use crate::run::Owner;
use crate::source::Source;

pub(crate) fn run(owner: &mut Owner, pool: Arc<TaskPool>, section: &Section) {
    let Kind::Stream {
        ordered,
        input,
        take,
        slowly,
        leave_pool,
        end,
    } = &section.kind
    else {
        return;
    };
    let options = &section.options;
    let site = &owner.world.new_site(section);
    let source = Source::new(site, input, Some(0));
    let feed = source.feed.clone();
    let function = configured(&pool, site);
    let mut results = if *ordered {
        function.map(source)
    } else {
        function.as_completed(source)
    };
    if *leave_pool {
        site.stopping(|| drop(pool));
        owner.leave(section.pool);
    }
    let most = match (take, input.count) {
        (Some(take), _) => *take,
        (None, None) => 20,
        (None, Some(_)) => usize::MAX,
    };
    let (mut count, mut over, mut raised) = (0, false, 0);
    while count < most && !over {
        if *slowly {
            yield_now();
        }
        site.reading.fetch_add(1, SeqCst);
        let ended = results.next();
        over = ended.is_none();
        if let Some(ended) = ended {
            site.check(raised < options.raise_after, || {
                "it goes on after its failure".into()
            });
            raised += usize::from(ended.is_err() && options.policy == ErrorPolicy::Raise);
            let index = ended
                .as_ref()
                .map_or_else(TaskError::index, |task| task.index);
            site.check(!ordered || index == count, || {
                format!("{index} came instead of {count}")
            });
            site.note(ended, *ordered);
            count += 1;
        }
        site.reading.fetch_sub(1, SeqCst);
    }
    if over && raised == 0 && !site.may_stop_otherwise() {
        let panicked = usize::from(feed.panicked.load(SeqCst));
        let pulled = feed.pulled.load(SeqCst) + panicked;
        site.check(count == pulled, || {
            format!("{count} of {pulled} were yielded")
        });
        site.check(
            panicked == 1 || input.count.is_none_or(|all| all == pulled),
            || format!("{pulled} were pulled"),
        );
    }
    site.discards.store(true, SeqCst);
    let _ = format!("{results:?}");
    match end {
        StreamEnd::Drop => site.stopping(|| drop(results)),
        StreamEnd::Detach => return site.stopping(|| results.detach()),
        StreamEnd::Stop => {
            let report = site.stopping(|| results.stop());
            let (completed, failed) = (report.completed() as usize, report.failed() as usize);
            site.check_counts(completed, failed);
        }
    }
    site.joined.store(true, SeqCst);
    if options.rate_limited {
        site.check_rate();
    }
}
