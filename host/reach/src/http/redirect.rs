//! The URL that an answer redirects to. Each step is checked like a request of the plugin's own.

use super::outgoing::OutgoingRequest;
use super::{HttpOptions, HttpResponse, normal, shown};
use crate::failure::{Failure, FailureKind};
use url::Url;

/// The most steps of one request.
pub const STEPS_MAX: u32 = 5;

/// The next URL, or `None` if the answer does not redirect.
pub fn target(
    options: &HttpOptions,
    outgoing: &OutgoingRequest,
    response: &HttpResponse,
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
        Failure::new(FailureKind::Config, message)
    };
    // Brought into one spelling like a plugin's URL, since only that one is compared with the list.
    let joined = outgoing.url.join(location).map_err(|error| refuse(error.to_string()))?;
    normal(joined.as_str()).map(Some).map_err(refuse)
}
