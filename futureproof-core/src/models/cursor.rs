//! Handing indices out.

use super::explore;
use crate::raw::cursor::{Cursor, SliceParts, VecParts};
use crate::raw::watched::Watched;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// Three workers claim indices, each `want` at a time.
fn claim_all(wants: [usize; 3], len: usize, workers: usize) {
    let cursor = Arc::new(Cursor::new(len, workers));
    let claimed = Arc::new(AtomicUsize::new(0));
    let work = move |want: usize| {
        let mut last = 0;
        while let Some(range) = cursor.claim(want, 1) {
            assert!(range.start >= last, "indices come in order");
            last = range.end;
            for index in range {
                claimed.fetch_add(1 << (4 * index), Ordering::Relaxed);
            }
        }
        assert!(cursor.is_exhausted());
        claimed.load(Ordering::Relaxed)
    };
    let (second, third) = (work.clone(), work.clone());
    let helpers = [
        loom::thread::spawn(move || second(wants[1])),
        loom::thread::spawn(move || third(wants[2])),
    ];
    work(wants[0]);
    for helper in helpers {
        helper.join().unwrap();
    }
    let expected = (0..len).map(|index| 1 << (4 * index)).sum::<usize>();
    assert_eq!(work(1), expected);
}

#[test]
fn each_index_is_claimed_once_by_the_exact_way() {
    explore(|| claim_all([1, 1, 2], 2, 4));
}

#[test]
fn each_index_is_claimed_once_by_the_way_that_may_overshoot() {
    explore(|| claim_all([1, 1, 1], 2, 1));
}

#[test]
#[allow(clippy::arc_with_non_send_sync)] // Loom's threads need no `Send`; what is shared is `Sync`.
fn the_pieces_of_a_slice_are_apart() {
    explore(|| {
        let items: &'static mut [Watched] = vec![Watched::new(), Watched::new()].leak();
        let address = items.as_mut_ptr() as usize;
        let parts = Arc::new(SliceParts::new(items, 2));
        let helper = {
            let parts = parts.clone();
            loom::thread::spawn(move || {
                while let Some((_, piece)) = parts.take(1, 1) {
                    piece.for_each(|item| item.write());
                }
            })
        };
        while let Some((start, mut piece)) = parts.take(1, 1) {
            let item = piece.next().unwrap();
            item.write();
            let first = std::ptr::from_ref(item) as usize - start * size_of::<Watched>();
            assert_eq!(first, address, "an item has the index it had in the slice");
        }
        helper.join().unwrap();
    });
}

#[test]
fn an_element_of_a_vector_is_taken_or_dropped_once() {
    explore(|| {
        let element = Arc::new(());
        let parts = Arc::new(VecParts::new(vec![element.clone(); 3], 1));
        let helper = {
            let parts = parts.clone();
            loom::thread::spawn(move || {
                if let Some((_, mut piece)) = parts.take(2, 1) {
                    drop(piece.next());
                }
            })
        };
        drop(parts.take(1, 1));
        drop(parts);
        helper.join().unwrap();
        assert_eq!(Arc::strong_count(&element), 1);
    });
}
