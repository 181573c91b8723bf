//! A column of numbers of charges, of which nearly all are short.

/// The mark of a number that is not known.
pub(super) const UNKNOWN: u8 = 255;
/// The mark of a number that stands among the long ones.
pub(super) const LONG: u8 = 254;

/// Numbers of charges by row; `L` holds those that are too long for 64 bits. A column that is not
/// kept is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberColumn<L> {
    /// 0 where the number is long or not known.
    pub(super) digits: Vec<i64>,
    /// [`UNKNOWN`], [`LONG`], or how the digits are read: the number of decimal places.
    pub(super) marks: Vec<u8>,
    /// By ascending row.
    pub(super) long: Vec<(u32, L)>,
}

impl<L> Default for NumberColumn<L> {
    fn default() -> NumberColumn<L> {
        NumberColumn::none()
    }
}

impl<L> NumberColumn<L> {
    pub(super) const fn none() -> NumberColumn<L> {
        NumberColumn { digits: Vec::new(), marks: Vec::new(), long: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.marks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    #[inline]
    pub(super) fn push_digits(&mut self, digits: i64, mark: u8) {
        self.digits.push(digits);
        self.marks.push(mark);
    }

    #[inline]
    pub fn push_unknown(&mut self) {
        self.push_digits(0, UNKNOWN);
    }

    pub(super) fn push_long(&mut self, long: L) {
        self.long.push((self.marks.len() as u32, long));
        self.push_digits(0, LONG);
    }

    /// Adds a zero, if the last number is known.
    pub(super) fn push_nothing_more(&mut self) {
        match self.marks.last() {
            None => {}
            Some(&UNKNOWN) => self.push_unknown(),
            Some(_) => self.push_digits(0, 0),
        }
    }

    /// The number of a row that is marked as long.
    pub(super) fn long(&self, row: usize) -> Option<&L> {
        let at = self.long.binary_search_by_key(&(row as u32), |(row, _)| *row).ok()?;
        self.long.get(at).map(|(_, number)| number)
    }

    pub(super) fn is_all_unknown(&self) -> bool {
        self.marks.iter().all(|mark| *mark == UNKNOWN)
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.digits.truncate(rows);
        self.marks.truncate(rows);
        self.long.retain(|(row, _)| (*row as usize) < rows);
    }

    pub fn clear(&mut self) {
        self.digits.clear();
        self.marks.clear();
        self.long.clear();
    }
}

impl<L: Clone> NumberColumn<L> {
    /// The rows in another order. A column that is not kept stays empty.
    pub(super) fn in_order(&self, order: &[u32]) -> NumberColumn<L> {
        if self.is_empty() {
            return NumberColumn::none();
        }
        let mut ordered = NumberColumn {
            digits: order.iter().map(|row| self.digits[*row as usize]).collect(),
            marks: order.iter().map(|row| self.marks[*row as usize]).collect(),
            long: Vec::new(),
        };
        if !self.long.is_empty() {
            let long = (0_u32..).zip(order).filter(|(at, _)| ordered.marks[*at as usize] == LONG);
            ordered.long = long
                .filter_map(|(at, row)| Some((at, self.long(*row as usize)?.clone())))
                .collect();
        }
        ordered
    }
}
