//! What a loop is given: items, and the iterators that give them.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::program::SOURCE_DROP;
use crate::values::Counted;
use crate::world::World;

/// An item of a source that gives values.
pub(crate) struct Item<'w> {
    index: usize,
    channel: Option<&'w Channel>,
    /// What it panics with when it is dropped.
    bomb: Option<usize>,
    world: &'w World<'w>,
    _alive: Counted,
}

impl<'w> Item<'w> {
    pub(crate) fn new(
        world: &'w World<'w>,
        index: usize,
        channel: Option<&'w Channel>,
        bomb: Option<usize>,
    ) -> Self {
        Self {
            index,
            channel,
            bomb,
            world,
            _alive: Counted::new(&world.items),
        }
    }
}

impl Drop for Item<'_> {
    fn drop(&mut self) {
        if let Some(channel) = self.channel
            && channel.unfinished.fetch_sub(1, Ordering::AcqRel) == 1
        {
            channel.end();
        }
        if let Some(code) = self.bomb.take()
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(self.world.planned(code, false)));
        }
    }
}

/// An element of a mutable slice.
pub(crate) struct Element {
    pub(crate) index: usize,
    pub(crate) touched: usize,
}

pub(crate) trait HasIndex {
    fn index(&mut self) -> usize;

    /// Does it panic when it is dropped?
    fn is_bomb(&self) -> bool {
        false
    }
}

impl HasIndex for usize {
    fn index(&mut self) -> usize {
        *self
    }
}

impl HasIndex for Item<'_> {
    fn index(&mut self) -> usize {
        self.index
    }

    fn is_bomb(&self) -> bool {
        self.bomb.is_some()
    }
}

impl HasIndex for &mut Element {
    fn index(&mut self) -> usize {
        // Not atomic: a sanitizer sees it if another thread has the same element.
        self.touched += 1;
        self.index
    }
}

/// A frontier that the bodies feed. It ends when everything sent has been pulled and dropped.
pub(crate) struct Channel {
    pub(crate) send: mpsc::Sender<Option<usize>>,
    unfinished: AtomicUsize,
}

impl Channel {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Option<usize>>) {
        let (send, receive) = mpsc::channel();
        let unfinished = AtomicUsize::new(0);
        (Self { send, unfinished }, receive)
    }

    pub(crate) fn send(&self, index: usize) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        (self.send.send(Some(index))).expect("the source is alive while items are");
    }

    pub(crate) fn end(&self) {
        // The loop may be over and the source gone.
        let _ = self.send.send(None);
    }
}

/// The iterator of a loop that pulls.
pub(crate) struct Feed<'w> {
    world: &'w World<'w>,
    next: usize,
    frontier: Option<(&'w Channel, mpsc::Receiver<Option<usize>>)>,
    _alive: Counted,
}

impl<'w> Feed<'w> {
    pub(crate) fn new(
        world: &'w World<'w>,
        frontier: Option<(&'w Channel, mpsc::Receiver<Option<usize>>)>,
    ) -> Self {
        Self {
            world,
            next: 0,
            frontier,
            _alive: Counted::new(&world.sources),
        }
    }
}

impl<'w> Iterator for Feed<'w> {
    type Item = Item<'w>;

    fn next(&mut self) -> Option<Item<'w>> {
        if let Some((channel, receive)) = &self.frontier {
            let index = receive.recv().expect("the channel outlives the loop")?;
            return Some(self.world.item(index, Some(channel)));
        }
        let index = self.next;
        self.next += 1;
        self.world.before_pull(index);
        // Another call after the end would give items again; that there is none is checked above.
        (index != self.world.program.count).then(|| self.world.item(index, None))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let Some(hint) = self.world.program.size_hint() else {
            resume_unwind(Box::new("the size hint panics"));
        };
        hint
    }
}

impl Drop for Feed<'_> {
    fn drop(&mut self) {
        let program = self.world.program;
        if program.source_drop && !std::thread::panicking() {
            let code = program.code(0) + SOURCE_DROP;
            resume_unwind(Box::new(self.world.planned(code, false)));
        }
    }
}
