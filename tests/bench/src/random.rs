//! Random numbers that are the same on every machine: splitmix64, and distributions of whole
//! numbers.

/// The unit of fractions: a fraction of one is a number below this.
pub const ONE: u64 = 1 << 32;

/// The unit of logarithms.
const LOG_ONE: i64 = 1 << 16;

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    pub fn index(&mut self, limit: usize) -> usize {
        self.below(limit as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// A fraction of one.
    pub fn fraction(&mut self) -> u64 {
        self.bits() >> 32
    }

    /// True for so many in a thousand.
    pub fn per_mille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// A number below `limit`, by a fraction to this power. Small numbers are more frequent.
    pub fn skewed(&mut self, limit: usize, power: u32) -> usize {
        let fraction = self.fraction();
        let raised = (1..power).fold(fraction, |product, _| (product * fraction) >> 32);
        ((u128::from(raised) * limit as u128) >> 32) as usize
    }

    /// Standard normal in units of `LOG_ONE`: the sum of twelve fractions has the variance of one.
    fn normal(&mut self) -> i64 {
        let sum: u64 = (0..12).map(|_| self.fraction()).sum();
        (sum >> 16) as i64 - 6 * LOG_ONE
    }

    /// Log-normal, in units of 10⁻¹⁰; mean and spread of the natural logarithm are given in tenths.
    pub fn log_normal(&mut self, mean: i64, spread: i64) -> i64 {
        exponential((self.normal() * spread + mean * LOG_ONE) / 10)
    }
}

/// 2^(k/16) in units of 2⁻³².
const POWERS: [u64; 17] = [
    4_294_967_296,
    4_485_121_744,
    4_683_695_048,
    4_891_059_943,
    5_107_605_667,
    5_333_738_689,
    5_569_883_475,
    5_816_483_285,
    6_074_001_000,
    6_342_919_999,
    6_623_745_059,
    6_917_003_306,
    7_223_245_206,
    7_543_045_592,
    7_877_004_752,
    8_225_749_546,
    8_589_934_592,
];

/// e to a power. The power is in units of `LOG_ONE`. The result is in units of 10⁻¹⁰, and at least
/// one of them.
fn exponential(power: i64) -> i64 {
    // 94,548 / 65,536 is the binary logarithm of e.
    let binary = (power * 94_548) >> 16;
    let (whole, part) = (binary >> 16, (binary & 0xFFFF) as usize);
    let (step, rest) = (part >> 12, (part & 0xFFF) as u64);
    let mantissa = POWERS[step] + (((POWERS[step + 1] - POWERS[step]) * rest) >> 12);
    let scaled = i128::from(mantissa) * 10_000_000_000;
    let value =
        if whole >= 32 { scaled << (whole - 32).min(16) } else { scaled >> (32 - whole).min(100) };
    value.clamp(1, i128::from(i64::MAX >> 8)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: i64, expected: i64) -> bool {
        (value - expected).abs() <= expected / 1000 + 1
    }

    #[test]
    fn powers_of_e_are_right_to_a_thousandth() {
        assert!(near(exponential(0), 10_000_000_000));
        assert!(near(exponential(LOG_ONE), 27_182_818_284));
        assert!(near(exponential(-4 * LOG_ONE), 183_156_389));
        assert!(near(exponential(5 * LOG_ONE / 2), 121_824_939_607));
    }

    #[test]
    fn half_of_the_normal_numbers_are_positive_and_two_thirds_within_one() {
        let mut random = Random::new(7);
        let drawn: Vec<i64> = (0..10_000).map(|_| random.normal()).collect();
        let positive = drawn.iter().filter(|number| **number > 0).count();
        let within = drawn.iter().filter(|number| number.abs() < LOG_ONE).count();
        assert!((4_800..5_200).contains(&positive), "{positive}");
        assert!((6_630..7_030).contains(&within), "{within}");
    }

    #[test]
    fn skewed_numbers_prefer_small_ones() {
        let mut random = Random::new(7);
        // The cube of a fraction is below an eighth in one half of all cases.
        let small = (0..10_000).filter(|_| random.skewed(8, 3) == 0).count();
        assert!((4_800..5_200).contains(&small), "{small}");
    }
}
