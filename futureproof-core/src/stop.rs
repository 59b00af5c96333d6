//! Stopping a loop or scope from outside, and asking from inside whether to stop.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::pool::{Shared, Work};
use crate::report::Report;
use crate::sync::{Arc, AtomicBool, AtomicUsize, Instant, Mutex, Ordering, Weak, thread_local};
use crate::unwind;

/// Stops the loops and tasks it is given to; clones stop together.
///
/// A stop takes effect before the next item starts: bodies that are running finish, or ask [`is_stopping`] and leave
/// early. A stopped loop evaluates to [`Err(Stopped)`](Stopped). Tasks get a token by `f::configure().stop(&token)`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, StopToken, pull};
///
/// let token = StopToken::new();
/// let outcome = ParallelFor::new().stop(&token).for_each(pull(0u64..), |n| {
///     if n == 1000 {
///         token.stop();
///     }
/// });
/// assert!(outcome.or_stopped().is_err());
/// ```
#[derive(Clone, Default)]
pub struct StopToken(Arc<Token>);

#[derive(Default)]
struct Token {
    stopped: AtomicBool,
    listeners: Mutex<Listeners>,
}

/// Who is to hear of a stop at once.
#[derive(Default)]
struct Listeners {
    /// Of tasks; loops look by themselves.
    work: Vec<Weak<dyn Work>>,
    callbacks: Vec<Callback>,
}

type Callback = Box<dyn FnOnce() + Send>;

impl StopToken {
    /// Creates a token that has not been stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops everything that holds this token or a clone of it. Stopping twice is the same as stopping once.
    ///
    /// It waits for nothing but locks held for a moment: what is cancelled by it is cancelled on other threads. So it may be
    /// called from a Ctrl-C handler's thread (though not from a signal handler proper). What was given to
    /// [`on_stop`](Self::on_stop) is called here.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        let listeners = std::mem::take(&mut *self.0.listeners.lock());
        for listener in listeners.work {
            if let Some(work) = listener.upgrade() {
                work.alarm_now();
            }
        }
        listeners.callbacks.into_iter().for_each(call_back);
    }

    /// Has `callback` called once when the token is stopped, on the thread that stops it; at once if it has been.
    ///
    /// For what a token does not stop by itself: a message to the user, a socket to shut down, an async task to wake. Several are
    /// called in the order in which they came, after the loops and tasks with this token have been told. If one panics, that is
    /// logged as an `ERROR` event and harms nothing. A callback stays until the stop, or until the last clone of the token is
    /// dropped: so it should hold no clone itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use std::sync::mpsc::channel;
    /// use futureproof::StopToken;
    ///
    /// let token = StopToken::new();
    /// let (sender, stopped) = channel(); // or a channel of an async runtime
    /// token.on_stop(move || _ = sender.send("finishing what runs"));
    /// token.stop();
    /// assert_eq!(stopped.recv(), Ok("finishing what runs"));
    /// ```
    pub fn on_stop(&self, callback: impl FnOnce() + Send + 'static) {
        let mut listeners = self.0.listeners.lock();
        // Under the lock: a stop that comes from now on finds the callback.
        if !self.is_stopped() {
            listeners.callbacks.push(Box::new(callback));
            return;
        }
        drop(listeners);
        call_back(Box::new(callback));
    }

    /// Returns whether the token has been stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// let token = futureproof::StopToken::new();
    /// token.clone().stop();
    /// assert!(token.is_stopped());
    /// ```
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Is this the same token, or a clone of it?
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Has [`Work::alarm_now`] called when the token is stopped. Who listens has to look at the token afterwards: it may have
    /// been stopped before.
    pub(crate) fn listen(&self, work: &Arc<dyn Work>) {
        self.0.listeners.lock().work.push(Arc::downgrade(work));
    }

    /// Ends [`listen`](Self::listen), also for whoever has gone without saying so.
    pub(crate) fn unlisten(&self, work: &Arc<dyn Work>) {
        let me = Arc::downgrade(work);
        let mut listeners = self.0.listeners.lock();
        listeners
            .work
            .retain(|listener| listener.strong_count() > 0 && !Weak::ptr_eq(listener, &me));
    }
}

/// Calls what somebody else has written.
fn call_back(callback: Callback) {
    let Err(payload) = unwind::catch(callback) else {
        return;
    };
    // A subscriber may panic, too.
    let event = unwind::catch(|| {
        tracing::error!(
            target: "futureproof",
            panic = unwind::message(&payload),
            "a callback on a stop panicked"
        );
    });
    unwind::discard(payload);
    event.unwrap_or_else(unwind::discard);
}

// A panic leaves a token as it was.
impl UnwindSafe for StopToken {}
impl RefUnwindSafe for StopToken {}

impl fmt::Debug for StopToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopToken")
            .field("stopped", &self.is_stopped())
            .finish()
    }
}

/// Why a loop was stopped before its end.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, StopCause, StopToken};
///
/// let token = StopToken::new();
/// token.stop();
/// let stopped = ParallelFor::new().stop(&token).for_each(0..3, |_| ()).or_stopped().unwrap_err();
/// match stopped.cause() {
///     StopCause::Token => println!("interrupted"),
///     cause => panic!("{cause:?}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopCause {
    /// Its [`StopToken`] was stopped.
    Token,
    /// Its deadline passed; the time it was given.
    Deadline(Duration),
    /// Its owner called `stop`, or, of tasks, a failure did under the policy raise.
    Asked,
}

/// The error of a loop or scope that was stopped before its end; it still has the [`Report`] of what was done.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::{ParallelFor, StopCause};
///
/// let stopped = ParallelFor::new()
///     .deadline(Duration::ZERO)
///     .for_each(0..10, |_| ())
///     .or_stopped()
///     .unwrap_err();
/// assert_eq!(stopped.cause(), StopCause::Deadline(Duration::ZERO));
/// assert_eq!(stopped.report().completed(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Stopped {
    pub(crate) cause: StopCause,
    pub(crate) report: Report,
}

impl Stopped {
    /// Returns why the loop was stopped.
    #[must_use]
    pub fn cause(&self) -> StopCause {
        self.cause
    }

    /// Returns what the loop had done when it was stopped.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            StopCause::Token => f.write_str("stopped by its token")?,
            StopCause::Asked => f.write_str("stopped by its owner")?,
            StopCause::Deadline(limit) => write!(f, "stopped at its deadline of {limit:?}")?,
        }
        write!(f, " after {} completed", self.report.completed())?;
        match self.report.cancelled() {
            0 => Ok(()),
            cancelled => write!(f, ", {cancelled} cancelled"),
        }
    }
}

impl std::error::Error for Stopped {}

/// What the workers of one loop look at before each item.
pub(crate) struct Signals {
    /// The lowest index known to end the loop; `usize::MAX` while there is none. Only ever lowered.
    exit: AtomicUsize,
    /// Is there a token or a deadline? Asked before each item: most loops have neither.
    stoppable: bool,
    token: Option<StopToken>,
    deadline: Option<(Instant, Duration)>,
    /// Has a body been told to stop, by the token or the deadline?
    told: AtomicBool,
    /// The pool whose threads work for it.
    pool: Option<Arc<Shared>>,
    /// Of the loop in whose body this one was started; and how many there are around it.
    outer: Option<Place>,
    depth: usize,
    /// Is the task being run that they belong to? Only submitted tasks say so.
    at_work: AtomicBool,
}

/// How many bodies a submitted task can be in, each submitted or started in the next.
const LONGEST_CHAIN: usize = 256;

impl Signals {
    pub(crate) fn new(token: Option<StopToken>, limit: Option<Duration>) -> Self {
        Self {
            exit: AtomicUsize::new(usize::MAX),
            stoppable: token.is_some() || limit.is_some(),
            token,
            told: AtomicBool::new(false),
            pool: None,
            outer: None,
            depth: 0,
            at_work: AtomicBool::new(false),
            // A deadline too far away to be written down is none.
            deadline: limit
                .and_then(|limit| Instant::now().checked_add(limit).map(|at| (at, limit))),
        }
    }

    /// Says that the loop is started, and ends, in the body this thread is in.
    pub(crate) fn nested(mut self) -> Self {
        self.outer = current();
        self.depth = 1 + self.outer.as_ref().map_or(0, |outer| outer.signals.depth);
        self
    }

    /// Says that the task is submitted in the body this thread is in, and may outlive it.
    ///
    /// A task that submits its successor makes a chain, which is cut now and then: its links would all be kept.
    pub(crate) fn nested_task(mut self) -> Self {
        self.outer = current().filter(|outer| outer.signals.depth < LONGEST_CHAIN);
        self.depth = 1 + self.outer.as_ref().map_or(0, |outer| outer.signals.depth);
        self
    }

    /// Says whose threads work for the loop.
    pub(crate) fn on(mut self, pool: &Arc<Shared>) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// Says whether the task is being run.
    pub(crate) fn set_at_work(&self, at_work: bool) {
        // Relaxed: who counts has the lock under which the task is counted in and out.
        self.at_work.store(at_work, Ordering::Relaxed);
    }

    pub(crate) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Relaxed)
    }

    pub(crate) fn lower_exit(&self, index: usize) {
        self.exit.fetch_min(index, Ordering::Relaxed);
    }

    /// Is `index` behind an exit, so that it must not start?
    ///
    /// Relaxed: the flag is a hint that spares work. What the exit carries travels under a lock.
    #[inline]
    pub(crate) fn is_past_exit(&self, index: usize) -> bool {
        self.exit.load(Ordering::Relaxed) < index
    }

    #[inline]
    pub(crate) fn has_exit(&self) -> bool {
        self.exit.load(Ordering::Relaxed) != usize::MAX
    }

    #[inline]
    pub(crate) fn is_token_stopped(&self) -> bool {
        self.token.as_ref().is_some_and(StopToken::is_stopped)
    }

    /// The moment of the deadline, if there is one.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.map(|(at, _)| at)
    }

    pub(crate) fn is_stoppable(&self) -> bool {
        self.stoppable
    }

    #[inline]
    pub(crate) fn stop_cause(&self) -> Option<StopCause> {
        if !self.stoppable {
            return None;
        }
        self.look_for_stop()
    }

    fn look_for_stop(&self) -> Option<StopCause> {
        if self.is_token_stopped() {
            return Some(StopCause::Token);
        }
        match self.deadline {
            Some((at, limit)) if Instant::now() >= at => Some(StopCause::Deadline(limit)),
            _ => None,
        }
    }

    /// The cause of a stop that a body has heard of: it may have left its item half done.
    pub(crate) fn heeded_stop(&self) -> Option<StopCause> {
        if self.told.load(Ordering::Relaxed) {
            self.stop_cause()
        } else {
            None
        }
    }

    /// Is it ending for who is at this index? What comes before an exit counts, and is to be done.
    fn tell_if_ending(&self, at: usize) -> bool {
        if self.stop_cause().is_some() {
            self.told.store(true, Ordering::Relaxed);
            return true;
        }
        self.is_past_exit(at)
    }
}

/// A loop or task, and how far this thread is in it.
#[derive(Clone)]
struct Place {
    signals: Arc<Signals>,
    /// The first item of the batch in hand, none of which runs behind an exit in the same batch. `usize::MAX`, so behind
    /// every exit, is who is at the source or in a task.
    at: usize,
}

impl Place {
    /// This and the places around it, innermost first.
    fn outwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |place| place.signals.outer.as_ref())
    }
}

/// Where this thread is, in the innermost loop whose body it is in.
fn current() -> Option<Place> {
    let innermost = ENTERED.try_with(|entered| entered.borrow().last().cloned());
    Some(Place {
        signals: innermost.ok()??,
        at: AT.get(),
    })
}

/// Is this thread in the body of a loop or task?
pub(crate) fn in_body() -> bool {
    ENTERED
        .try_with(|entered| !entered.borrow().is_empty())
        .unwrap_or(false)
}

/// Is this thread in the body of a loop that threads of `pool` work for, however deep?
pub(crate) fn works_for(pool: &Arc<Shared>) -> bool {
    current().is_some_and(|place| {
        place.outwards().any(|place| {
            place
                .signals
                .pool
                .as_ref()
                .is_some_and(|its| Arc::ptr_eq(its, pool))
        })
    })
}

/// The loops and tasks with this token that this thread is in: those whose bodies it runs, and those in whose bodies these were
/// started, however deep.
pub(crate) fn around(token: &StopToken) -> Vec<Arc<Signals>> {
    let mut found: Vec<Arc<Signals>> = Vec::new();
    let _ = ENTERED.try_with(|entered| {
        for innermost in entered.borrow().iter() {
            let outwards = std::iter::successors(Some(innermost), |signals| {
                Some(&signals.outer.as_ref()?.signals)
            });
            for signals in outwards {
                let has_it = signals.token.as_ref().is_some_and(|its| its.is(token));
                if has_it && !found.iter().any(|known| Arc::ptr_eq(known, signals)) {
                    found.push(signals.clone());
                }
            }
        }
    });
    found
}

thread_local! {
    /// The signals of the loops and tasks whose bodies this thread is in, outermost first.
    static ENTERED: RefCell<Vec<Arc<Signals>>> = const { RefCell::new(Vec::new()) };

    /// How far it is in the innermost: see [`Place`]. By itself, as it is set for each batch.
    static AT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Marks this thread as working for a loop until dropped.
pub(crate) struct Entered {
    counts: bool,
    /// How far it is in what is around.
    before: usize,
}

impl Entered {
    pub(crate) fn new(signals: &Arc<Signals>) -> Self {
        Self {
            // The thread-local is gone when a destructor of another one runs a loop.
            counts: ENTERED
                .try_with(|entered| entered.borrow_mut().push(signals.clone()))
                .is_ok(),
            before: AT.replace(usize::MAX),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        AT.set(self.before);
        if self.counts {
            let last = ENTERED.try_with(|entered| entered.borrow_mut().pop());
            drop(last);
        }
    }
}

/// Says that this thread has a batch in hand that begins at this index of the loop that it has entered last; `usize::MAX`: none.
#[inline]
pub(crate) fn set_place(at: usize) {
    AT.set(at);
}

/// Returns whether the loop or task whose body this thread is in, or one around it, is about to end early.
///
/// A loop is, when its token was stopped or its deadline has passed, and, for items behind one that has ended it, then: what items
/// in front of that do still counts, and they are not told. A task is, when its scope, its
/// iterator or its pool stops, its token was stopped, its handle was told to [`stop`](crate::TaskHandle::stop), or its `timeout` is
/// over. A long-running body can ask now and then, and return when the answer is yes; so can the `next()` of a loop's input, and end
/// it. A loop that told a body or its input to stop because of its token or deadline is a stopped loop, though that may have been
/// its last item. Elsewhere the answer is no.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, StopToken, is_stopping};
///
/// let token = StopToken::new();
/// let outcome = ParallelFor::new().workers(2).stop(&token).for_each(0..2, |n| {
///     if n == 0 {
///         token.stop();
///     }
///     while !is_stopping() {
///         std::hint::spin_loop(); // one step of a long computation
///     }
/// });
/// assert!(outcome.or_stopped().is_err());
/// assert!(!is_stopping());
/// ```
#[must_use]
pub fn is_stopping() -> bool {
    current()
        .is_some_and(|place| (place.outwards()).any(|place| place.signals.tell_if_ending(place.at)))
}
