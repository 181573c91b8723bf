//! Where an answer sends the request on to. Each step is allowed, or not, as if the plugin had asked for it.

use super::outgoing::Outgoing;
use super::{Options, Response, normal, shown};
use crate::failure::{Failure, Kind};
use url::Url;

/// The most steps of one request.
pub const MOST: u32 = 5;

/// The next URL; `None` where the answer is one.
pub fn target(
    options: &Options,
    outgoing: &Outgoing,
    response: &Response,
) -> Result<Option<Url>, Failure> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header("location") else { return Ok(None) };
    let refuse = |reason: String| {
        let message = format!(
            "{} redirects to where source '{}' cannot follow: {reason}",
            shown(&outgoing.url),
            options.source
        );
        Failure::new(Kind::Config, message)
    };
    let joined = outgoing.url.join(location).map_err(|error| refuse(error.to_string()))?;
    normal(joined.as_str()).map(Some).map_err(refuse)
}
