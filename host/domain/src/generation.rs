//! The rules and tables that a day was allocated by.

use std::fmt;

/// A set of rules and tables by its digest, and the stretch of days that it was used for.
///
/// Rules can begin or cease to be valid on a day. Such turning days cut time into stretches,
/// numbered from 0, and a resource may be decided otherwise in each stretch. So each stretch is
/// kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation {
    digest: String,
    stretch: Option<u32>,
}

impl Generation {
    /// Rules without turning days have no stretch.
    pub fn new(digest: impl Into<String>, stretch: Option<u32>) -> Generation {
        Generation { digest: digest.into(), stretch }
    }

    /// Reads what `Display` wrote. Any other text is a digest as a whole.
    pub fn parse(text: &str) -> Generation {
        let parts = text.rsplit_once('/');
        match parts.and_then(|(digest, number)| Some((digest, number.parse().ok()?))) {
            Some((digest, number)) => Generation::new(digest, Some(number)),
            None => Generation::new(text, None),
        }
    }

    /// Of the rules and tables, hex. All stretches have the same.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn stretch(&self) -> Option<u32> {
        self.stretch
    }

    /// This generation and those of the stretches before it. None if the rules have no turning
    /// days.
    pub fn stretches(&self) -> impl Iterator<Item = Generation> + '_ {
        let numbers = self.stretch.into_iter().flat_map(|last| 0..=last);
        numbers.map(|number| Generation::new(self.digest.as_str(), Some(number)))
    }
}

/// `<digest>`, or `<digest>/<number of the stretch>`.
impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)?;
        self.stretch.map_or(Ok(()), |number| write!(f, "/{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_as_it_was_written() {
        for text in ["c0ffee", "c0ffee/0", "c0ffee/12"] {
            assert_eq!(Generation::parse(text).to_string(), text);
        }
        let third = Generation::parse("c0ffee/2");
        assert_eq!((third.digest(), third.stretch()), ("c0ffee", Some(2)));
        assert_eq!(Generation::parse("c0ffee/x"), Generation::new("c0ffee/x", None));
    }

    #[test]
    fn a_last_stretch_knows_those_before_it() {
        let shown = |text: &str| -> Vec<String> {
            Generation::parse(text).stretches().map(|stretch| stretch.to_string()).collect()
        };
        assert_eq!(shown("c0ffee/2"), ["c0ffee/0", "c0ffee/1", "c0ffee/2"]);
        assert_eq!(shown("c0ffee"), Vec::<String>::new());
    }
}
