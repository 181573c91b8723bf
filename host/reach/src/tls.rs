//! A server that cannot be trusted: why, and what mends it.

use rustls::{CertificateError, Error as Broken};
use std::error::Error;

/// Why a request failed, if it was for the server's certificate or another fault of TLS, and what mends it. `ca_file` is the
/// line of the settings that names a signer of one's own.
pub fn untrusted(
    host: &str,
    error: &(dyn Error + 'static),
    ca_file: &str,
) -> Option<(String, String)> {
    let (why, hint) = match cause::<Broken>(error)? {
        Broken::InvalidCertificate(CertificateError::UnknownIssuer) => (
            "its certificate is signed by nobody whom this machine trusts".to_owned(),
            format!("where the signer is your own, name its certificate:\n{ca_file}"),
        ),
        Broken::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => (
            "its certificate has expired".to_owned(),
            "have it renewed, and check the clock of this machine".to_owned(),
        ),
        Broken::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => (
            "its certificate is not valid yet".to_owned(),
            "check the clock of this machine: `date -u`".to_owned(),
        ),
        Broken::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (
            "its certificate is for another name".to_owned(),
            "ask by the name that the certificate has".to_owned(),
        ),
        Broken::InvalidMessage(_) => (
            "it does not speak TLS there".to_owned(),
            "check the port, and whether the server is one for http:// rather than https://"
                .to_owned(),
        ),
        other => (
            other.to_string(),
            format!("look at it with `openssl s_client -connect {host}:443 -servername {host}`"),
        ),
    };
    Some((why, hint))
}

/// The error of a type among the causes of another. What `io::Error` wraps is not among its sources, but in it.
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
