//! All that the house asks of one way to share.

use super::facts::{CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;

/// Recipients with weights or amounts, in a fixed order.
pub(crate) type RecipientWeights = Vec<(Recipient, i128)>;

/// How a driver shares a pool.
pub(crate) enum DriverAnswer {
    /// The spread's policies for zero and negative weights, and its bounds, still apply.
    Weights(RecipientWeights),
    /// Amounts that add up to the pool's total.
    ///
    /// As weights they give every recipient exactly its amount, so that a price or a limit is met
    /// to the nano.
    Amounts {
        amounts: RecipientWeights,
        /// Bears whatever the others do not, of every part of the pool.
        rest: Recipient,
    },
}

/// One way to share. No question has a default answer, so a new driver does not compile until it
/// has answered them all.
pub(crate) trait DriverMethod {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic>;

    /// All that may get a share on the day, whatever the pool's total is.
    fn recipients(&self, pool: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic>;

    /// The teams that the rule names, whatever the day is like.
    fn teams(&self) -> Vec<&str>;

    /// Whether the day's total of the pool decides over the shares, and not only over the amounts.
    fn needs_total(&self) -> bool;

    /// As a person would say it, for findings, the functions' page and reports.
    fn describe(&self) -> String;

    /// The usage that the shares hang on.
    fn usages(&self) -> Vec<MetricWindow<'_>>;

    /// The costs that the shares hang on.
    fn team_costs(&self) -> Vec<&CostQuestion>;

    /// The usage that it charges at a price.
    fn priced(&self) -> Vec<PricedUsage<'_>>;
}

/// Adds an amount to a recipient's own, which is made if it is new.
pub(crate) fn add_amount(amounts: &mut RecipientWeights, recipient: &Recipient, amount: i128) {
    match amounts.iter_mut().find(|(known, _)| known == recipient) {
        Some((_, sum)) => *sum += amount,
        None => amounts.push((recipient.clone(), amount)),
    }
}

/// The teams among some recipients, by name.
pub(crate) fn team_names<'a>(
    recipients: impl IntoIterator<Item = &'a Recipient>,
) -> impl Iterator<Item = &'a str> {
    recipients.into_iter().filter_map(Recipient::target).map(|target| target.team.as_str())
}
