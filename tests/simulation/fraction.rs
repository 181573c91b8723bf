//! Fractions of whole numbers of any size. Nothing is rounded.

use num_bigint::BigInt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// In lowest terms, with a denominator above zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fraction {
    top: BigInt,
    bottom: BigInt,
}

impl Default for Fraction {
    fn default() -> Self {
        Fraction::from(0)
    }
}

impl From<i128> for Fraction {
    fn from(whole: i128) -> Fraction {
        Fraction { top: whole.into(), bottom: 1.into() }
    }
}

impl Fraction {
    fn reduced(top: BigInt, bottom: BigInt) -> Fraction {
        let (mut left, mut right) = (top.clone(), bottom.clone());
        while right != BigInt::ZERO {
            (left, right) = (right.clone(), left % right);
        }
        // The sign goes to the numerator.
        let divisor = if (left < BigInt::ZERO) == (bottom < BigInt::ZERO) { left } else { -left };
        Fraction { top: top / &divisor, bottom: bottom / divisor }
    }

    pub fn is_positive(&self) -> bool {
        self.top > BigInt::ZERO
    }

    pub fn is_zero(&self) -> bool {
        self.top == BigInt::ZERO
    }

    /// Whether a whole number lies this near.
    pub fn is_near(&self, whole: i128, bound: u64) -> bool {
        let away = &self.top - &self.bottom * whole;
        *away.magnitude() <= self.bottom.magnitude() * bound
    }
}

impl Add for &Fraction {
    type Output = Fraction;

    fn add(self, other: &Fraction) -> Fraction {
        if self.bottom == other.bottom && self.bottom == BigInt::from(1) {
            return Fraction { top: &self.top + &other.top, bottom: 1.into() };
        }
        let top = &self.top * &other.bottom + &other.top * &self.bottom;
        Fraction::reduced(top, &self.bottom * &other.bottom)
    }
}

impl Sub for &Fraction {
    type Output = Fraction;

    fn sub(self, other: &Fraction) -> Fraction {
        self + &Fraction { top: -&other.top, bottom: other.bottom.clone() }
    }
}

impl Mul for &Fraction {
    type Output = Fraction;

    fn mul(self, other: &Fraction) -> Fraction {
        Fraction::reduced(&self.top * &other.top, &self.bottom * &other.bottom)
    }
}

impl Div for &Fraction {
    type Output = Fraction;

    fn div(self, other: &Fraction) -> Fraction {
        Fraction::reduced(&self.top * &other.bottom, &self.bottom * &other.top)
    }
}

impl AddAssign<&Fraction> for Fraction {
    fn add_assign(&mut self, other: &Fraction) {
        *self = &*self + other;
    }
}
