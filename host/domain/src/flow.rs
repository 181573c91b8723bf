//! How amounts move from pools and serving teams to the recipients that bear them.
//!
//! Two callers need the same movements. A run moves the day's cells and works the weights out as it
//! goes. A report moves the portions of single resources and brings the weights that the run kept.
//! Both do it here, so that the parts of a report add up to the postings, to the nano.
//!
//! # Why it goes as it does
//!
//! *Charges are split one by one* (`Passage::split_charge`) wherever the shares do not need the
//! day's total. A charge's shares are then exact by themselves. Another charge of the day, a
//! correction or a new file does not move a nano of them.
//!
//! *Everything else is split as one amount* (`Passage::pass`): amounts in pools, amounts with
//! serving teams, and charges whose shares need the total. If each part were rounded by itself, a
//! price or a limit would be missed by some nanos. A running split avoids that: after each part,
//! the shares given so far are those of the amount so far.
//!
//! *The parts come in the order of names*, first of the recipient where they stood, then of the
//! service. A share of one part can be a nano more or less by its place in the order. Names are the
//! only order that the run and the report share: numbers of cells, resources and threads differ
//! from load to load. The parts of one name can come in any order and in any number, since only the
//! running total at the end of the name decides what the name's shares add up to. That is why
//! portions and cells agree.
//!
//! *Stations have steps.* A station is a pool or a team whose cost a rule passes on. It has its
//! turn once everything that feeds it has passed on what it had. A share is passed on in turn only
//! if it comes to a station of a later step. Otherwise it stays. Charges are passed on at step 0,
//! before all stations.
//!
//! *Stations that feed each other* have no such order, and one of two methods finds one
//! (`order::Turn`). By default the circle is solved as a whole (`reciprocal`): every member passes
//! on at the same step, straight to those that bear the cost in the end. With `mutual:
//! "step_down"`, the members have their turns one after another by priority, and a member that had
//! its turn gets nothing back. A cost is otherwise passed around without an end.

pub mod order;
pub mod passage;
pub mod queue;
pub mod reciprocal;
pub mod station;
