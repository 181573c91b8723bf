//! A configured source, ready to be collected.

use domain::port::{CollectRequest, Collector};
use reports::coverage::days::SourceWindow;

pub struct Source {
    pub name: String,
    pub collector: Box<dyn Collector>,
    pub request: CollectRequest,
    /// The source whose charges this one estimates. Estimates count on days of which that source
    /// has no charges yet.
    pub accrues_for: Option<String>,
    /// The days to ask for, if the request names no period. Without a window, the source is asked
    /// for everything.
    pub window: Option<SourceWindow>,
}
