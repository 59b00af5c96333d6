//! Publication of a batch while it fills.

use super::explore;
use crate::raw::belt::Belt;
use crate::raw::watched::Watched;
use crate::sync::{Arc, Mutex};

#[test]
fn an_item_on_a_belt_is_taken_once() {
    explore(|| {
        let belt = Arc::new(Belt::<Box<usize>>::new());
        let got = Arc::new(Mutex::new(Vec::new()));
        let taker = {
            let (belt, got) = (belt.clone(), got.clone());
            loom::thread::spawn(move || {
                while let Some((index, item)) = belt.take() {
                    assert_eq!(*item, index);
                    got.lock().push(index);
                }
            })
        };
        for base in [0, 2] {
            let mut filler = belt.fill(base, 2);
            let mut items = (base..base + 2).map(Box::new);
            filler.lay(2, || items.next());
            let taken = filler.finish();
            let start = taken.start();
            for (index, item) in (start..).zip(taken) {
                assert_eq!(*item, index);
                got.lock().push(index);
            }
        }
        taker.join().unwrap();
        let mut got = got.lock().clone();
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2, 3]);
    });
}

#[test]
fn whoever_takes_an_item_sees_what_the_filler_did_to_it() {
    explore(|| {
        let belt = Arc::new(Belt::<Arc<Watched>>::new());
        let taker = {
            let belt = belt.clone();
            loom::thread::spawn(move || {
                if let Some((_, item)) = belt.take() {
                    item.write();
                }
            })
        };
        let mut filler = belt.fill(0, 2);
        filler.lay(2, || {
            let item = Arc::new(Watched::new());
            item.write();
            Some(item)
        });
        for item in filler.finish() {
            item.write();
        }
        taker.join().unwrap();
    });
}

#[test]
fn what_a_belt_holds_when_it_is_given_up_is_dropped_once() {
    explore(|| {
        let item = Arc::new(());
        let belt = Arc::new(Belt::new());
        let taker = {
            let belt = belt.clone();
            loom::thread::spawn(move || drop(belt.take()))
        };
        let mut filler = belt.fill(0, 2);
        filler.lay(2, || Some(item.clone()));
        drop(filler);
        taker.join().unwrap();
        assert!(belt.take().is_none(), "it is not being filled");
        assert_eq!(Arc::strong_count(&item), 1);
    });
}
