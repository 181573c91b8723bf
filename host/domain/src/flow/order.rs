//! The order in which stations have their turns.

use std::collections::BTreeSet;

/// Whose turn it is to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// One station that gets nothing back.
    Alone(usize),
    /// Stations that feed each other, one after another: a station that had its turn gets nothing
    /// back.
    StepDown(Vec<usize>),
    /// Stations that feed each other, solved as a whole.
    Together(Vec<usize>),
}

/// Groups of stations that feed each other, each group before the groups that it feeds. Members
/// stand in ascending order, which is the order of their priority.
pub fn groups(feeds: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    // Not only the stations that are fed directly: a circle can lead through third ones.
    let reached: Vec<BTreeSet<usize>> =
        (0..feeds.len()).map(|start| reached_from(feeds, start)).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for node in 0..feeds.len() {
        // All members of a group reach the same stations, so the first one speaks for all.
        let group = groups
            .iter_mut()
            .find(|group| reached[group[0]].contains(&node) && reached[node].contains(&group[0]));
        match group {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    // A station that feeds a group reaches the group and all that the group reaches: more than the
    // group itself does. So the groups that reach most come first. Each counts itself: members of a
    // circle reach themselves, and a single station does not. The sort is stable, so groups that do
    // not depend on each other stay in the order of priority.
    groups.sort_by_key(|group| {
        std::cmp::Reverse(reached[group[0]].union(&BTreeSet::from([group[0]])).count())
    });
    groups
}

/// Whether a station feeds another one, or feeds one that does.
pub fn reaches(feeds: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    reached_from(feeds, from).contains(&to)
}

fn reached_from(feeds: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        open.extend(feeds[node].iter().copied().filter(|fed| reached.insert(*fed)));
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_after_all_that_feed_them() {
        let feeds = |list: &[&[usize]]| {
            list.iter().map(|fed| fed.iter().copied().collect()).collect::<Vec<BTreeSet<usize>>>()
        };
        assert_eq!(groups(&feeds(&[&[], &[0], &[1]])), vec![vec![2], vec![1], vec![0]]);
        assert_eq!(groups(&feeds(&[&[2], &[0, 1], &[0], &[]])), vec![vec![1], vec![0, 2], vec![3]]);
        assert_eq!(groups(&feeds(&[&[1], &[2], &[0]])), vec![vec![0, 1, 2]]);
    }
}
