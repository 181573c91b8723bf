//! The functions that a component exports, under the names of the version that it was made for.

use super::bindings::allocate::{Driver, Pool, Target, Weight};
use super::bindings::types::{Batch, Error, Manifest, Period, Problem};
use super::{PACKAGE, before, is_of_newest_minor};
use crate::capability::State;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, ResourceAny, TypedFunc,
};
use wasmtime::{Store, format_err};

/// What a function of the contract returns.
type Returned<T> = (Result<T, Error>,);

pub struct CollectorExports {
    pub describe: TypedFunc<(), (Manifest,)>,
    pub check: TypedFunc<(String,), Returned<Vec<Problem>>>,
    pub open: TypedFunc<(String, Option<Period>, Option<String>), Returned<ResourceAny>>,
    next: NextPage,
}

/// The one function whose types differ between the minor versions.
enum NextPage {
    Newest(TypedFunc<(ResourceAny,), Returned<Option<Batch>>>),
    Before(TypedFunc<(ResourceAny,), Returned<Option<before::EarlierBatch>>>),
}

impl CollectorExports {
    pub fn of(
        instance: &Instance,
        store: &mut Store<State>,
        contract: &str,
    ) -> wasmtime::Result<CollectorExports> {
        const NEXT: &str = "[method]cursor.next";
        let collect = Interface::of(instance, store, "collect", contract)?;
        Ok(CollectorExports {
            describe: collect.function(store, "describe")?,
            check: collect.function(store, "check")?,
            open: collect.function(store, "open")?,
            next: if is_of_newest_minor(contract) {
                NextPage::Newest(collect.function(store, NEXT)?)
            } else {
                NextPage::Before(collect.function(store, NEXT)?)
            },
        })
    }

    /// The next page, or `None` at the end.
    pub fn next(
        &self,
        store: &mut Store<State>,
        cursor: ResourceAny,
    ) -> wasmtime::Result<Result<Option<Batch>, Error>> {
        Ok(match &self.next {
            NextPage::Newest(next) => next.call(store, (cursor,))?.0,
            NextPage::Before(next) => {
                next.call(store, (cursor,))?.0.map(|page| page.map(Batch::from))
            }
        })
    }
}

/// The settings, the cost to share, and by what.
type Question = (String, Pool, Vec<Target>, Vec<Driver>);

pub struct AllocatorExports {
    pub describe: TypedFunc<(), (Manifest,)>,
    pub allocate: TypedFunc<Question, Returned<Vec<Weight>>>,
}

impl AllocatorExports {
    pub fn of(
        instance: &Instance,
        store: &mut Store<State>,
        contract: &str,
    ) -> wasmtime::Result<AllocatorExports> {
        let allocate = Interface::of(instance, store, "allocate", contract)?;
        Ok(AllocatorExports {
            describe: allocate.function(store, "describe")?,
            allocate: allocate.function(store, "allocate")?,
        })
    }
}

/// An exported interface.
struct Interface<'a> {
    instance: &'a Instance,
    name: String,
    index: ComponentExportIndex,
}

impl Interface<'_> {
    fn of<'a>(
        instance: &'a Instance,
        store: &mut Store<State>,
        name: &str,
        contract: &str,
    ) -> wasmtime::Result<Interface<'a>> {
        let name = format!("{PACKAGE}{name}@{contract}");
        let index = instance
            .get_export_index(store, None, &name)
            .ok_or_else(|| format_err!("it does not export `{name}`"))?;
        Ok(Interface { instance, name, index })
    }

    /// A function by its name. Its types have to be those of the contract.
    fn function<P, R>(
        &self,
        store: &mut Store<State>,
        name: &str,
    ) -> wasmtime::Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let index = self
            .instance
            .get_export_index(&mut *store, Some(&self.index), name)
            .ok_or_else(|| format_err!("`{}` has no function `{name}`", self.name))?;
        self.instance.get_typed_func(store, index).map_err(|error| {
            format_err!("`{name}` of `{}` has other types: {}", self.name, error.root_cause())
        })
    }
}
