//! What is still to start: submitted tasks and open inputs, in call order.

use std::collections::VecDeque;

use super::args::IntoArgs;
use super::state::Place;
use crate::sync::panic;
use crate::unwind::Payload;

/// The place of a task in call order: which call brought it, and its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    pub(super) segment: u64,
    pub(super) position: u64,
}

/// An accepted task that has not started.
pub(super) struct Queued<A> {
    pub(super) index: usize,
    pub(super) order: Order,
    pub(super) args: A,
}

impl<A> Queued<A> {
    pub(super) fn place(&self) -> Place {
        Place {
            order: self.order,
            index: self.index,
        }
    }
}

/// An input of `map`, with its items turned into arguments as they are pulled.
pub(super) trait Feed<A>: Send {
    fn pull(&mut self) -> Option<A>;
}

pub(super) type Input<'env, A> = Box<dyn Feed<A> + 'env>;

/// Any iterator as a [`Feed`].
pub(super) struct Items<I>(pub(super) I);

impl<A, I: Iterator<Item: IntoArgs<A>> + Send> Feed<A> for Items<I> {
    fn pull(&mut self) -> Option<A> {
        self.0.next().map(IntoArgs::into_args)
    }
}

/// What is left of an input that has given its last item: its end, or its panic.
pub(super) struct Spent(Option<Payload>);

impl Spent {
    pub(super) fn input<'env, A>(panic: Option<Payload>) -> Input<'env, A> {
        Box::new(Self(panic))
    }
}

impl<A> Feed<A> for Spent {
    fn pull(&mut self) -> Option<A> {
        match self.0.take() {
            Some(payload) => panic::resume_unwind(payload),
            None => None,
        }
    }
}

/// Consecutive submits, or one input.
struct Segment<'env, A> {
    number: u64,
    kind: Kind<'env, A>,
}

enum Kind<'env, A> {
    Tasks {
        queue: VecDeque<Queued<A>>,
        accepted: u64,
    },
    Input {
        /// `None` while a thread is pulling an item.
        input: Option<Input<'env, A>>,
        pulled: u64,
        /// Items being pulled, queued, running, or finished and not yet read.
        unread: usize,
        /// It came too far ahead of its reader, who has not caught up enough since.
        full: bool,
    },
}

/// What a thread can do next.
pub(super) enum Next<'env, A> {
    /// Run this.
    Task(Queued<A>),
    /// Pull an item, then bring the input back.
    Pull(u64, Input<'env, A>),
    /// Nothing now, but another thread is pulling and will soon bring an input back, or not.
    Busy,
    Nothing,
}

/// The queue of one task manager.
pub(super) struct Queue<'env, A> {
    segments: VecDeque<Segment<'env, A>>,
    /// The number of the next segment.
    next: u64,
    /// Submitted tasks in all segments.
    waiting: usize,
    /// Inputs among the segments.
    inputs: usize,
    /// How far an input may be ahead of the reader.
    ahead: usize,
    /// How much closer it has to be, beyond one item, before it goes on.
    slack: usize,
}

impl<'env, A> Queue<'env, A> {
    pub(super) fn new() -> Self {
        Self {
            segments: VecDeque::new(),
            next: 0,
            waiting: 0,
            inputs: 0,
            ahead: 0,
            slack: 0,
        }
    }

    /// Says how far an input may be ahead of the reader, and how much closer it has to be, beyond one item, before it
    /// goes on.
    pub(super) fn set_ahead(&mut self, ahead: usize, slack: usize) {
        self.ahead = ahead;
        self.slack = slack;
    }

    /// Submitted tasks that have not started.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn has_open_input(&self) -> bool {
        self.inputs > 0
    }

    /// Is a thread pulling one of the inputs?
    pub(super) fn is_pulled(&self) -> bool {
        (self.segments.iter())
            .any(|segment| matches!(segment.kind, Kind::Input { input: None, .. }))
    }

    /// How many threads find something to do: one per input, as each passes the input on before it runs its item.
    #[inline]
    pub(super) fn demand(&self) -> usize {
        if self.inputs == 0 {
            return self.waiting;
        }
        let pullable = self.segments.iter().filter(|segment| {
            matches!(&segment.kind, Kind::Input { input: Some(_), unread, full: false, .. } if *unread < self.ahead)
        });
        self.waiting + pullable.count()
    }

    /// A place in call order after everything accepted so far.
    pub(super) fn next_order(&mut self) -> Order {
        let segment = self.next;
        self.next += 1;
        Order {
            segment,
            position: 0,
        }
    }

    /// Queues a task; returns its place in call order.
    pub(super) fn push_task(&mut self, index: usize, args: A) -> Order {
        self.waiting += 1;
        if let Some(Segment {
            number,
            kind: Kind::Tasks { queue, accepted },
        }) = self.segments.back_mut()
        {
            let order = Order {
                segment: *number,
                position: *accepted,
            };
            *accepted += 1;
            queue.push_back(Queued { index, order, args });
            return order;
        }
        let order = self.next_order();
        self.segments.push_back(Segment {
            number: order.segment,
            kind: Kind::Tasks {
                queue: VecDeque::from([Queued { index, order, args }]),
                accepted: 1,
            },
        });
        order
    }

    pub(super) fn push_input(&mut self, input: Input<'env, A>) {
        if let Some(Kind::Tasks { queue, .. }) = self.segments.back().map(|last| &last.kind)
            && queue.is_empty()
        {
            self.segments.pop_back();
        }
        let number = self.next_order().segment;
        self.inputs += 1;
        self.segments.push_back(Segment {
            number,
            kind: Kind::Input {
                input: Some(input),
                pulled: 0,
                unread: 0,
                full: false,
            },
        });
    }

    /// Takes the first thing in call order that can start now: an input that is being pulled, or too far ahead of its
    /// reader, does not hold up what was submitted behind it.
    pub(super) fn take(&mut self) -> Next<'env, A> {
        let mut busy = false;
        for at in 0..self.segments.len() {
            let segment = &mut self.segments[at];
            match &mut segment.kind {
                Kind::Tasks { queue, .. } => {
                    // Only the last segment can be empty: it stays, so that a stream of submits does not rebuild it.
                    let Some(task) = queue.pop_front() else {
                        continue;
                    };
                    self.waiting -= 1;
                    if queue.is_empty() && at + 1 < self.segments.len() {
                        self.segments.remove(at);
                    }
                    return Next::Task(task);
                }
                Kind::Input {
                    input,
                    unread,
                    full,
                    ..
                } => {
                    if input.is_none() {
                        busy = true;
                    } else if *unread < self.ahead && !*full {
                        *unread += 1;
                        *full = *unread >= self.ahead;
                        if let Some(input) = input.take() {
                            return Next::Pull(segment.number, input);
                        }
                    }
                }
            }
        }
        if busy { Next::Busy } else { Next::Nothing }
    }

    /// Takes up to `most` submitted tasks that come right after one that was just taken.
    pub(super) fn take_more(&mut self, after: Order, most: usize, tasks: &mut VecDeque<Queued<A>>) {
        let Some(at) = self.find(after.segment) else {
            return;
        };
        let is_last = at + 1 == self.segments.len();
        if let Kind::Tasks { queue, .. } = &mut self.segments[at].kind {
            let most = most.min(queue.len());
            tasks.extend(queue.drain(..most));
            self.waiting -= most;
            if queue.is_empty() && !is_last {
                self.segments.remove(at);
            }
        }
    }

    /// Brings an input back that gave an item; returns the item's place. Gives the input back if the queue was cleared.
    pub(super) fn bring_back(
        &mut self,
        number: u64,
        returned: Input<'env, A>,
    ) -> Result<Order, Input<'env, A>> {
        let Some(Kind::Input { input, pulled, .. }) = self.kind_of(number) else {
            return Err(returned);
        };
        *input = Some(returned);
        let position = *pulled;
        *pulled += 1;
        Ok(Order {
            segment: number,
            position,
        })
    }

    /// How many more items of an input may be pulled beside the one for which it was taken.
    pub(super) fn ahead_of(&mut self, number: u64) -> usize {
        let ahead = self.ahead;
        match self.kind_of(number) {
            Some(Kind::Input { unread, .. }) => ahead.saturating_sub(*unread),
            _ => 0,
        }
    }

    /// Hears that so many items of an input were pulled by a thread that may still pull; returns the first one's place.
    pub(super) fn pulled(&mut self, number: u64, items: usize) -> Option<Order> {
        let ahead = self.ahead;
        let Some(Kind::Input {
            pulled,
            unread,
            full,
            ..
        }) = self.kind_of(number)
        else {
            return None;
        };
        let position = *pulled;
        *pulled += items as u64;
        *unread += items;
        *full |= *unread >= ahead;
        Some(Order {
            segment: number,
            position,
        })
    }

    /// Brings an input back whose items the queue has heard of.
    pub(super) fn return_input(&mut self, number: u64, returned: Input<'env, A>) {
        if let Some(Kind::Input { input, unread, .. }) = self.kind_of(number) {
            *input = Some(returned);
            // The place that was kept for the item for which it was taken.
            *unread -= 1;
        }
    }

    /// Removes an input that will give no more items; returns the place after its last one.
    pub(super) fn close(&mut self, number: u64) -> Option<Order> {
        let at = self.find(number)?;
        match self.segments.remove(at)?.kind {
            Kind::Input { pulled, .. } => {
                self.inputs -= 1;
                Some(Order {
                    segment: number,
                    position: pulled,
                })
            }
            Kind::Tasks { .. } => None,
        }
    }

    /// Hears that a result has been read; returns whether that lets its input go on.
    pub(super) fn read(&mut self, order: Order) -> bool {
        if self.inputs == 0 {
            return false;
        }
        let (ahead, slack) = (self.ahead, self.slack);
        let Some(Kind::Input { unread, full, .. }) = self.kind_of(order.segment) else {
            return false;
        };
        *unread -= 1;
        *full &= unread.saturating_add(slack) >= ahead;
        !*full && *unread < ahead
    }

    /// The place of the first thing that has not started; if there is none, of what is accepted next.
    pub(super) fn first(&self) -> Order {
        let (segment, position) = match self.segments.front() {
            Some(Segment { number, kind }) => match kind {
                // A place behind it was given out: nothing is queued here any more.
                Kind::Tasks { queue, .. } if queue.is_empty() && number + 1 < self.next => {
                    (self.next, 0)
                }
                Kind::Tasks { queue, accepted } => {
                    let started = queue.front().map(|task| task.order.position);
                    (*number, started.unwrap_or(*accepted))
                }
                Kind::Input { pulled, .. } => (*number, *pulled),
            },
            None => (self.next, 0),
        };
        Order { segment, position }
    }

    /// Takes everything out: the tasks in call order, and the inputs that are here.
    pub(super) fn clear(&mut self) -> (Vec<Queued<A>>, Vec<Input<'env, A>>) {
        (self.waiting, self.inputs) = (0, 0);
        let (mut tasks, mut inputs) = (Vec::new(), Vec::new());
        for segment in self.segments.drain(..) {
            match segment.kind {
                Kind::Tasks { queue, .. } => tasks.extend(queue),
                Kind::Input { input, .. } => inputs.extend(input),
            }
        }
        (tasks, inputs)
    }

    /// Takes the inputs out, as far as they are here; the others are refused when they are brought back.
    pub(super) fn drop_inputs(&mut self) -> Vec<Input<'env, A>> {
        self.inputs = 0;
        let mut inputs = Vec::new();
        self.segments.retain_mut(|segment| match &mut segment.kind {
            Kind::Tasks { .. } => true,
            Kind::Input { input, .. } => {
                inputs.extend(input.take());
                false
            }
        });
        inputs
    }

    fn find(&self, number: u64) -> Option<usize> {
        self.segments
            .binary_search_by_key(&number, |segment| segment.number)
            .ok()
    }

    fn kind_of(&mut self, number: u64) -> Option<&mut Kind<'env, A>> {
        let at = self.find(number)?;
        Some(&mut self.segments[at].kind)
    }
}

/// Any iterator over arguments as an input.
pub(super) fn input<'env, A, I>(items: I) -> Input<'env, A>
where
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'env>,
{
    Box::new(Items(items.into_iter()))
}
