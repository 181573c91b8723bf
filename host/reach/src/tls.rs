//! Faults of TLS in words, each with its remedy.

use domain::hint::Hint;
use rustls::{CertificateError, Error as Broken};
use std::error::Error;

/// The reason and the remedy, if a request failed for the server's certificate or another fault of
/// TLS. `ca_file` is the remedy for a signer that this machine does not know.
pub fn untrusted(
    host: &str,
    error: &(dyn Error + 'static),
    ca_file: Hint,
) -> Option<(String, Hint)> {
    let (why, hint) = match cause::<Broken>(error)? {
        Broken::InvalidCertificate(CertificateError::UnknownIssuer) => (
            "its certificate is signed by nobody whom this machine trusts".to_owned(),
            Hint::text("where the signer is your own, name its certificate:\n").then(ca_file),
        ),
        Broken::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => (
            "its certificate has expired".to_owned(),
            Hint::text("have it renewed, and check the clock of this machine"),
        ),
        Broken::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => (
            "its certificate is not valid yet".to_owned(),
            Hint::text("check the clock of this machine: `date -u`"),
        ),
        Broken::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (
            "its certificate is for another name".to_owned(),
            Hint::text("ask by the name that the certificate has"),
        ),
        Broken::InvalidMessage(_) => (
            "it does not speak TLS there".to_owned(),
            Hint::text(
                "check the port, and whether the server is one for http:// rather than https://",
            ),
        ),
        other => (
            other.to_string(),
            Hint::text(format!(
                "look at it with `openssl s_client -connect {host}:443 -servername {host}`"
            )),
        ),
    };
    Some((why, hint))
}

/// Finds an error of a type among the causes of another. `io::Error` holds the error that it wraps,
/// and does not name it among its sources.
pub fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
