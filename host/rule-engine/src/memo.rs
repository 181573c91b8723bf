//! Tries over the values that scripts read.
//!
//! A script is deterministic, so the values that it has read decide which value it reads next. That
//! makes a trie: a branch names a key, the resource's value under that key leads on, and a leaf
//! holds the answer. A hash table over all dimensions would be simpler, but would miss on every
//! resource that differs only in a dimension that no rule reads, such as a resource's id. Here an
//! unread dimension costs nothing, and a walk does not allocate.

use rustc_hash::FxHashMap;

/// The number of a value that can be read: fields first, then currency and day, then tag keys in
/// the order in which scripts first read them.
pub(crate) type Key = u32;

/// A remembered answer: an outcome's number, or one of the marks below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf(u32);

impl Leaf {
    /// The rule does not claim the charge. The next rule is asked.
    pub(crate) const PASS: Leaf = Leaf(LEAF - 2);
    /// The values on this path do not decide. The rule goes on to read an amount or, for a resource
    /// without a charge, a date.
    pub(crate) const PER_CHARGE: Leaf = Leaf(LEAF - 3);

    pub(crate) fn outcome(id: u32) -> Leaf {
        assert!(id < Leaf::PER_CHARGE.0, "a run cannot hold two billion distinct outcomes");
        Leaf(id)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// The top bit of a slot marks a leaf. The other bits number a leaf or a branch.
const LEAF: u32 = 1 << 31;

/// The target of an edge: nothing, a branch, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrieSlot(u32);

impl TrieSlot {
    pub(crate) const EMPTY: TrieSlot = TrieSlot(u32::MAX);

    fn leaf(self) -> Option<Leaf> {
        (self.0 & LEAF != 0).then_some(Leaf(self.0 & !LEAF))
    }
}

struct TrieBranch {
    key: Key,
    children: FxHashMap<u32, TrieSlot>,
}

/// Many tries in one arena. The owner of a trie holds its root.
#[derive(Default)]
pub(crate) struct Tries {
    branches: Vec<TrieBranch>,
    entries: usize,
}

impl Tries {
    /// The number of edges, which the memory grows with.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Follows the values from `slot` to a leaf. `None` if this combination has not been learned.
    #[inline]
    pub(crate) fn walk(
        &self,
        mut slot: TrieSlot,
        mut value: impl FnMut(Key) -> u32,
    ) -> Option<Leaf> {
        loop {
            if slot == TrieSlot::EMPTY {
                return None;
            }
            if let Some(leaf) = slot.leaf() {
                return Some(leaf);
            }
            let branch = self.branches.get(slot.0 as usize)?;
            slot = branch.children.get(&value(branch.key)).copied()?;
        }
    }

    /// Adds a path and returns the root, which is new if the trie was empty.
    ///
    /// Only a script that is not deterministic could bring a path that reads another key after the
    /// same values. Such a path is left out: the script then runs again each time, and its own
    /// answer counts.
    pub(crate) fn learn(&mut self, root: TrieSlot, path: &[(Key, u32)], leaf: Leaf) -> TrieSlot {
        let mut top = root;
        let mut parent: Option<(usize, u32)> = None;
        let mut slot = root;
        for (key, value) in path {
            if slot == TrieSlot::EMPTY {
                slot = TrieSlot(u32::try_from(self.branches.len()).unwrap_or(u32::MAX) & !LEAF);
                self.branches.push(TrieBranch { key: *key, children: FxHashMap::default() });
                self.attach(&mut top, parent, slot);
            }
            let at = slot.0 as usize;
            match self.branches.get(at) {
                Some(branch) if slot.leaf().is_none() && branch.key == *key => {
                    slot = branch.children.get(value).copied().unwrap_or(TrieSlot::EMPTY);
                    parent = Some((at, *value));
                }
                // Never in a release build: a rule must not stop a run.
                _ => {
                    debug_assert!(false, "a script read something else after the same values");
                    return top;
                }
            }
        }
        if slot == TrieSlot::EMPTY {
            self.attach(&mut top, parent, TrieSlot(LEAF | leaf.0));
        }
        top
    }

    /// Hangs a slot under the edge that led nowhere, or makes it the root.
    fn attach(&mut self, top: &mut TrieSlot, parent: Option<(usize, u32)>, slot: TrieSlot) {
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
        let root = tries.learn(TrieSlot::EMPTY, &[(0, 7), (3, 1)], Leaf::outcome(5));
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
        let root = tries.learn(TrieSlot::EMPTY, &[], Leaf::PER_CHARGE);
        assert_eq!(tries.walk(root, |_| unreachable!("nothing is read")), Some(Leaf::PER_CHARGE));
        let other = tries.learn(TrieSlot::EMPTY, &[], Leaf::outcome(0));
        assert_eq!(tries.walk(other, |_| 0), Some(Leaf::outcome(0)));
        assert_eq!(tries.walk(TrieSlot::EMPTY, |_| 0), None);
    }
}
