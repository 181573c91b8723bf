//! Durations in buckets, for histograms.

/// Of requests, in seconds; the same in millionths below.
pub const HTTP_BOUNDS: [f64; 7] = [0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];
pub const HTTP_BOUNDS_US: [u64; 7] =
    [5_000, 25_000, 100_000, 250_000, 1_000_000, 2_500_000, 10_000_000];

/// Of runs, in seconds; the same in millionths below.
pub const RUN_BOUNDS: [f64; 6] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0];
pub const RUN_BOUNDS_US: [u64; 6] =
    [1_000_000, 10_000_000, 60_000_000, 300_000_000, 1_800_000_000, 7_200_000_000];

/// How many durations fell into each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// By bucket, up to its bound and beyond the one before; the last is beyond all bounds.
    pub counts: Vec<u64>,
    pub sum_us: u64,
}

impl Buckets {
    pub fn add(&mut self, bounds_us: &[u64], took_us: u64) {
        self.counts.resize(bounds_us.len() + 1, 0);
        let bucket = bounds_us.partition_point(|bound| *bound < took_us);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_us = self.sum_us.saturating_add(took_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_bucket_up_to_its_bound() {
        let mut buckets = Buckets::default();
        for took_us in [0, 5_000, 5_001, 10_000_000, 10_000_001] {
            buckets.add(&HTTP_BOUNDS_US, took_us);
        }
        assert_eq!(buckets.counts, [2, 1, 0, 0, 0, 0, 1, 1]);
        assert_eq!(buckets.sum_us, 20_010_002);
    }
}
