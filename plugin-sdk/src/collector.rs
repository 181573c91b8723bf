//! The trait of a collector, and the macro that exports it from a component.

use crate::bindings::collector::exports::apportion::plugin::collect::{Cursor, Guest, GuestCursor};
use crate::{Batch, Error, Manifest, Period, Problem, tell_panics};
use std::cell::RefCell;
use std::marker::PhantomData;

/// The settings, days and state of one collection.
#[derive(Clone, Debug)]
pub struct Request {
    /// The source's settings as JSON.
    pub config: String,
    /// The days to collect; `None` for all that the source has.
    pub period: Option<Period>,
    /// The state that the last collection handed over.
    pub state: Option<String>,
}

/// Collects the charges of a source page by page. A value of the type is one collection.
pub trait Collector: Sized + 'static {
    /// The plugin's name, version, settings and powers. The host calls this before it grants
    /// anything.
    fn manifest() -> Manifest;

    /// All problems of the settings that a person should mend before the first collection.
    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        let _ = config;
        Ok(Vec::new())
    }

    fn open(request: Request) -> Result<Self, Error>;

    /// The next page, or `None` at the end.
    fn next(&mut self) -> Result<Option<Batch>, Error>;
}

/// A collector as the component's exports.
pub struct ExportedCollector<C>(PhantomData<C>);

pub struct Pages<C>(RefCell<C>);

impl<C: Collector> Guest for ExportedCollector<C> {
    type Cursor = Pages<C>;

    fn describe() -> Manifest {
        tell_panics();
        C::manifest()
    }

    fn check(config: String) -> Result<Vec<Problem>, Error> {
        tell_panics();
        C::check(&config)
    }

    fn open(
        config: String,
        period: Option<Period>,
        state: Option<String>,
    ) -> Result<Cursor, Error> {
        tell_panics();
        C::open(Request { config, period, state })
            .map(|collector| Cursor::new(Pages(RefCell::new(collector))))
    }
}

impl<C: Collector> GuestCursor for Pages<C> {
    fn next(&self) -> Result<Option<Batch>, Error> {
        self.0.borrow_mut().next()
    }
}

/// Exports a type that implements `Collector` from this component. A component has one.
#[macro_export]
macro_rules! register_collector {
    ($collector:ty) => {
        type RegisteredCollector = $crate::ExportedCollector<$collector>;
        $crate::bindings::collector::export_collector!(RegisteredCollector with_types_in $crate::bindings::collector);
    };
}
