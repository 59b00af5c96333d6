//! Joining and leaving a loop on loan.

use super::{Tally, explore};
use crate::gate::Gate;
use crate::raw::watched::Watched;
use crate::sync::{Arc, FrameToken};

/// What a lender's frame holds: workers write to it, the lender reads it after the gate is closed.
struct Frame<const VISITORS: usize> {
    gate: Gate,
    token: FrameToken,
    parts: [Watched; VISITORS],
}

#[allow(clippy::arc_with_non_send_sync)] // Loom checks each access itself.
fn close_on<const VISITORS: usize>() {
    let frame = Arc::new(Frame {
        gate: Gate::new(),
        token: FrameToken::new(),
        parts: [(); VISITORS].map(|()| Watched::new()),
    });
    let visitors: Vec<_> = (0..VISITORS)
        .map(|n| {
            let frame = frame.clone();
            loom::thread::spawn(move || {
                if let Some(_visit) = frame.gate.enter() {
                    frame.token.hold(|| frame.parts[n].write());
                }
            })
        })
        .collect();
    frame.gate.close();
    frame.token.end();
    frame.parts.iter().for_each(Watched::write);
    assert!(frame.gate.enter().is_none());
    for visitor in visitors {
        visitor.join().unwrap();
    }
}

#[test]
fn a_closed_gate_has_seen_its_visitor_leave() {
    explore(close_on::<1>);
}

#[test]
fn a_closed_gate_has_seen_both_visitors_leave() {
    explore(close_on::<2>);
}

#[test]
fn a_closed_gate_has_seen_all_of_many_visitors_leave() {
    explore(close_on::<3>);
}

#[test]
fn an_owner_waits_for_the_visitor_it_has_seen_inside() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        let (inside, part) = (Arc::new(Tally::default()), Arc::new(Watched::new()));
        let visitor = {
            let (gate, inside, part) = (gate.clone(), inside.clone(), part.clone());
            loom::thread::spawn(move || {
                let _visit = gate.enter().unwrap();
                inside.add();
                part.write();
            })
        };
        inside.wait_for(1);
        gate.close();
        part.write();
        visitor.join().unwrap();
    });
}
