//! Charges drawn from a seed.

use crate::estate::charge;
use domain::charge::RawCharge;

/// SplitMix64: the same estate for the same seed.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A charge of any service of the estate, in one of two currencies.
    pub fn charge(&mut self, day: &str, amount: impl FnOnce(&mut Draw) -> String) -> RawCharge {
        let service = self.of(&[
            "Compute",
            "Compute",
            "Database",
            "Network",
            "Support",
            "Tax",
            "Marketplace",
            "Broken",
            "Other",
        ]);
        let tags = [
            ("team", self.of(&["a", "b", "c", ""])),
            ("environment", self.of(&["prod", "dev", ""])),
            ("application", self.of(&["web", ""])),
        ];
        let amount = amount(self);
        let mut charge = charge(day, service, &tags, &amount);
        charge.billing_currency = self.of(&["USD", "USD", "EUR"]).into();
        charge
    }
}
