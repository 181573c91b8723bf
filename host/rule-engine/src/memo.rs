//! Tries over the values that scripts read.
//!
//! A script is deterministic, so which value it reads next depends only on the values read before: a branch asks for one
//! key, the value leads on, a leaf holds the answer. Unread dimensions cost nothing. A walk does not allocate.

use rustc_hash::FxHashMap;

/// Numbers what can be read: fields first, then currency and day, then tag keys as they are met.
pub(crate) type Key = u32;

/// An answer: an outcome's number, or one of the marks below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf(u32);

impl Leaf {
    /// The rule does not claim it: ask the next one.
    pub(crate) const PASS: Leaf = Leaf(LEAF - 2);
    /// What was read so far does not decide: the rule goes on to read an amount (or, without a charge, a date).
    pub(crate) const PER_CHARGE: Leaf = Leaf(LEAF - 3);

    pub(crate) fn outcome(id: u32) -> Leaf {
        assert!(id < Leaf::PER_CHARGE.0, "a run cannot hold two billion distinct outcomes");
        Leaf(id)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// The top bit marks a leaf.
const LEAF: u32 = 1 << 31;

/// Where a walk stands: nothing known, a branch, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const EMPTY: Slot = Slot(u32::MAX);

    fn leaf(self) -> Option<Leaf> {
        (self.0 & LEAF != 0).then_some(Leaf(self.0 & !LEAF))
    }
}

struct Branch {
    key: Key,
    children: FxHashMap<u32, Slot>,
}

/// Many tries in one arena; who owns a trie holds its root.
#[derive(Default)]
pub(crate) struct Tries {
    branches: Vec<Branch>,
    entries: usize,
}

impl Tries {
    /// Edges stored: what the memory grows with.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Follows the values from `slot` to a leaf, if this combination has been learned.
    #[inline]
    pub(crate) fn walk(&self, mut slot: Slot, mut value: impl FnMut(Key) -> u32) -> Option<Leaf> {
        loop {
            if slot == Slot::EMPTY {
                return None;
            }
            if let Some(leaf) = slot.leaf() {
                return Some(leaf);
            }
            let branch = self.branches.get(slot.0 as usize)?;
            slot = branch.children.get(&value(branch.key)).copied()?;
        }
    }

    /// Adds a path; answers the root, which is new if the trie was empty.
    ///
    /// A path that contradicts what was learned before could only come from a script that is not deterministic. It is
    /// left out, so that the answer stays that of the script.
    pub(crate) fn learn(&mut self, root: Slot, path: &[(Key, u32)], leaf: Leaf) -> Slot {
        let mut top = root;
        let mut parent: Option<(usize, u32)> = None;
        let mut slot = root;
        for (key, value) in path {
            if slot == Slot::EMPTY {
                slot = Slot(u32::try_from(self.branches.len()).unwrap_or(u32::MAX) & !LEAF);
                self.branches.push(Branch { key: *key, children: FxHashMap::default() });
                self.attach(&mut top, parent, slot);
            }
            let at = slot.0 as usize;
            match self.branches.get(at) {
                Some(branch) if slot.leaf().is_none() && branch.key == *key => {
                    slot = branch.children.get(value).copied().unwrap_or(Slot::EMPTY);
                    parent = Some((at, *value));
                }
                _ => {
                    debug_assert!(false, "a script read something else after the same values");
                    return top;
                }
            }
        }
        if slot == Slot::EMPTY {
            self.attach(&mut top, parent, Slot(LEAF | leaf.0));
        }
        top
    }

    fn attach(&mut self, top: &mut Slot, parent: Option<(usize, u32)>, slot: Slot) {
        self.entries += 1;
        match parent.and_then(|(at, value)| self.branches.get_mut(at).map(|branch| (branch, value)))
        {
            Some((branch, value)) => {
                branch.children.insert(value, slot);
            }
            None => *top = slot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_asks_only_for_what_was_read() {
        let mut tries = Tries::default();
        let root = tries.learn(Slot::EMPTY, &[(0, 7), (3, 1)], Leaf::outcome(5));
        let root = tries.learn(root, &[(0, 7), (3, 2)], Leaf::PASS);
        let root = tries.learn(root, &[(0, 8)], Leaf::outcome(6));
        let walk = |values: [u32; 4]| {
            let mut asked = Vec::new();
            let leaf = tries.walk(root, |key| {
                asked.push(key);
                values[key as usize]
            });
            (leaf, asked)
        };
        assert_eq!(walk([7, 0, 0, 1]), (Some(Leaf::outcome(5)), vec![0, 3]));
        assert_eq!(walk([7, 0, 0, 2]), (Some(Leaf::PASS), vec![0, 3]));
        assert_eq!(walk([7, 0, 0, 9]), (None, vec![0, 3]));
        assert_eq!(walk([8, 0, 0, 1]), (Some(Leaf::outcome(6)), vec![0]));
        assert_eq!(tries.entries(), 5);
    }

    #[test]
    fn a_rule_that_reads_nothing_is_one_leaf() {
        let mut tries = Tries::default();
        let root = tries.learn(Slot::EMPTY, &[], Leaf::PER_CHARGE);
        assert_eq!(tries.walk(root, |_| unreachable!("nothing is read")), Some(Leaf::PER_CHARGE));
        let other = tries.learn(Slot::EMPTY, &[], Leaf::outcome(0));
        assert_eq!(tries.walk(other, |_| 0), Some(Leaf::outcome(0)));
        assert_eq!(tries.walk(Slot::EMPTY, |_| 0), None);
    }
}
