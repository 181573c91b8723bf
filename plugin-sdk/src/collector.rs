//! What a collector has to be, and how it becomes the exports of a component.

use crate::bindings::collector::exports::apportion::plugin::collect::{Cursor, Guest, GuestCursor};
use crate::{Batch, Error, Manifest, Period, Problem, tell_panics};
use std::cell::RefCell;
use std::marker::PhantomData;

/// What is to be collected.
#[derive(Clone, Debug)]
pub struct Request {
    /// The source's settings as JSON.
    pub config: String,
    /// `None`: all there is.
    pub period: Option<Period>,
    /// What the last collection left.
    pub state: Option<String>,
}

/// Says what a source charged, page by page. A value of the type is one collection under way.
pub trait Collector: Sized + 'static {
    /// What it is and asks for. Called before anything is granted.
    fn manifest() -> Manifest;

    /// Everything about the settings that a person should mend before the first collection.
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

/// Makes a type that implements `Collector` the collector of this component. Once per component.
#[macro_export]
macro_rules! register_collector {
    ($collector:ty) => {
        type RegisteredCollector = $crate::ExportedCollector<$collector>;
        $crate::bindings::collector::export_collector!(RegisteredCollector with_types_in $crate::bindings::collector);
    };
}
