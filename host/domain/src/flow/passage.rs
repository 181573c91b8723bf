//! One station's, or one rule's, passing on of what waits there.

use super::queue::{Queue, Queues, WaitingAmount};
use super::station::Stations;
use crate::money::Sum;
use crate::recipient::Recipient;
use crate::sharing::Sharing;
use crate::split::Shares;
use std::rc::Rc;

/// Receives every amount that moves. A run makes postings of the amounts, and a report makes parts
/// of portions.
pub trait FlowSink<P> {
    /// All of the amount leaves the place where it stood.
    fn leave(&mut self, waiting: &WaitingAmount<'_, P>);
    /// A share of the amount comes to the recipient with this number. Shares of nothing are not
    /// told.
    fn arrive(&mut self, waiting: &WaitingAmount<'_, P>, taker: usize, share: Sum);
}

/// How one rule passes on what stands in its pool, or with the team that it is for.
pub struct Passage<'s> {
    sharing: &'s Sharing,
    takers: Vec<Taker>,
}

struct Taker {
    recipient: Rc<Recipient>,
    /// The later station where the recipient passes on what it gets.
    next: Option<usize>,
}

impl<'s> Passage<'s> {
    /// At a step of the stations' order.
    pub fn new(sharing: &'s Sharing, step: u32, stations: &Stations) -> Passage<'s> {
        // The search through the stations is made once for each recipient, and not for each share.
        let taker = |recipient: &Recipient| Taker {
            next: stations.next(recipient, step),
            recipient: Rc::new(recipient.clone()),
        };
        Passage { sharing, takers: sharing.recipients.iter().map(taker).collect() }
    }

    /// Whether no taker passes on what it gets.
    pub fn is_final(&self) -> bool {
        self.takers.iter().all(|taker| taker.next.is_none())
    }

    /// Adds a charge's shares to those of its part.
    #[inline]
    pub fn split_charge(&self, nanos: i64, shares: &mut Vec<i128>) {
        // Made with the first charge: an empty list tells the caller that a part has no charges.
        shares.resize(self.takers.len(), 0);
        self.sharing.shares.add(nanos, shares);
    }

    /// Passes on an amount whose charges were split one by one into these shares.
    pub fn pass_split<'a, P: Copy + Ord>(
        &self,
        waiting: &WaitingAmount<'a, P>,
        shares: &[i128],
        queues: &mut Queues<'a, P>,
        sink: &mut impl FlowSink<P>,
    ) {
        sink.leave(waiting);
        for (taker, share) in shares.iter().enumerate() {
            self.give(waiting, taker, Sum::from_nanos(*share), queues, sink);
        }
    }

    /// Splits all that waits as one amount, in the order of names.
    pub fn pass<'a, P: Copy + Ord>(
        &self,
        queue: Queue<'a, P>,
        queues: &mut Queues<'a, P>,
        sink: &mut impl FlowSink<P>,
    ) {
        let mut running = self.sharing.shares.running();
        let mut refunds = self.sharing.refunds.as_ref().map(Shares::running);
        let waiting = queue.in_order();
        // Parts of one name go together, by the sign of what they add up to: a run and a report
        // cut a name into other parts.
        for name in waiting.chunk_by(WaitingAmount::has_name_of) {
            let total: i128 = name.iter().map(|waiting| waiting.amount.nanos()).sum();
            let running = match &mut refunds {
                Some(refunds) if total < 0 => refunds,
                _ => &mut running,
            };
            for waiting in name {
                sink.leave(waiting);
                running.split(waiting.amount, |taker, share| {
                    self.give(waiting, taker, share, queues, sink)
                });
            }
        }
    }

    fn give<'a, P: Copy + Ord>(
        &self,
        waiting: &WaitingAmount<'a, P>,
        taker: usize,
        share: Sum,
        queues: &mut Queues<'a, P>,
        sink: &mut impl FlowSink<P>,
    ) {
        if share.is_zero() {
            return;
        }
        sink.arrive(waiting, taker, share);
        let Taker { recipient, next } = &self.takers[taker];
        if let Some(station) = next {
            let from = Rc::clone(recipient);
            queues.push(*station, WaitingAmount { from, amount: share, ..*waiting });
        }
    }
}
