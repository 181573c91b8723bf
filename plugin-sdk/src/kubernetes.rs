//! The power to list objects of a Kubernetes cluster. Ask for it as `kubernetes` in the manifest.

use crate::Error;
pub use crate::bindings::collector::apportion::plugin::kubernetes::{Page, Query};
use std::collections::BTreeSet;

/// The objects of a kind in all namespaces.
pub fn all_of(resource: &str) -> Query {
    Query {
        resource: resource.into(),
        namespace: None,
        label_selector: None,
        field_selector: None,
        limit: 0,
        next: None,
    }
}

pub fn list(query: &Query) -> Result<Page, Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::kubernetes::list(query);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::answer_kubernetes(query)
}

/// Hands the pages of a list to `take`, in order.
///
/// A cluster refuses to continue a list that was begun too long ago. The list is then begun anew,
/// once, and `take` is told to forget the pages it has. A list that comes back to an earlier page
/// is an error.
pub fn each_page(
    query: &Query,
    take: &mut dyn FnMut(Part) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut query = query.clone();
    let (start, mut is_second, mut seen) = (query.next.clone(), false, BTreeSet::new());
    loop {
        match list(&query) {
            Ok(page) => {
                take(Part::Objects(page.objects))?;
                match page.next {
                    Some(next) if !seen.insert(next.clone()) => {
                        return Err(Error::Unavailable(format!(
                            "the cluster's list of {} points back to a page that was there before",
                            query.resource
                        )));
                    }
                    Some(next) => query.next = Some(next),
                    None => return Ok(()),
                }
            }
            Err(Error::Transient(_)) if !is_second && query.next != start => {
                is_second = true;
                query.next.clone_from(&start);
                seen.clear();
                take(Part::Anew)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A JSON array.
    Objects(Vec<u8>),
    /// All pages so far will come again.
    Anew,
}

/// The server's version, such as `v1.33.1`.
#[cfg(target_family = "wasm")]
pub fn version() -> Result<String, Error> {
    crate::bindings::collector::apportion::plugin::kubernetes::version()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// The pieces of a list with two pages, whose second page fails `failures` times.
    fn pages(failures: usize) -> (Result<(), Error>, Vec<String>) {
        let left = Rc::new(RefCell::new(failures));
        fixture::kubernetes(move |query| match query.next.as_deref() {
            None => Ok(Page { objects: b"[1]".to_vec(), next: Some("0:x".into()) }),
            Some(_) if *left.borrow() > 0 => {
                *left.borrow_mut() -= 1;
                Err(Error::Transient("begun too long ago".into()))
            }
            Some(_) => Ok(Page { objects: b"[2]".to_vec(), next: None }),
        });
        let mut taken = Vec::new();
        let ended = each_page(&all_of("pods"), &mut |part| {
            taken.push(match part {
                Part::Objects(objects) => String::from_utf8_lossy(&objects).into_owned(),
                Part::Anew => "anew".into(),
            });
            Ok(())
        });
        (ended, taken)
    }

    #[test]
    fn a_list_that_goes_in_a_circle_has_an_end() {
        fixture::kubernetes(|_| Ok(Page { objects: b"[1]".to_vec(), next: Some("0:x".into()) }));
        let message = "the cluster's list of pods points back to a page that was there before";
        assert_eq!(
            each_page(&all_of("pods"), &mut |_| Ok(())),
            Err(Error::Unavailable(message.into()))
        );
    }

    #[test]
    fn an_expired_list_is_begun_anew_once() {
        assert_eq!(pages(0), (Ok(()), vec!["[1]".into(), "[2]".into()]));
        assert_eq!(pages(1), (Ok(()), ["[1]", "anew", "[1]", "[2]"].map(str::to_owned).to_vec()));
        assert_eq!(
            pages(2),
            (
                Err(Error::Transient("begun too long ago".into())),
                ["[1]", "anew", "[1]"].map(str::to_owned).to_vec()
            )
        );
    }
}
